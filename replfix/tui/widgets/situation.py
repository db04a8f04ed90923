"""A channel without a conflict to show: it is running, or it is stopped for another reason."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text
from textual.widgets import Static

from replfix.core.plan.outcome import Outcome
from replfix.core.replication.replica_status import ChannelStatus
from replfix.errors import ReplfixError
from replfix.present.channel_state import called, error_of, state_of
from replfix.present.page.incident_page import running_page
from replfix.present.page.outcome_page import hint_points, outcome_section
from replfix.present.page.page_model import Symbol, strong, words
from replfix.present.page.rich_page import point_text
from replfix.tui.widgets.points import blocks_text, point, sections_text, title, together


class Healthy(Static):
    """``outcome``: what was done about it from here, when that is why it runs."""

    def __init__(
        self, name: str, channel: str, status: ChannelStatus | None, outcome: Outcome | None, report_key: str
    ) -> None:
        super().__init__(together(_healthy(name, channel, status, outcome, report_key)), id="situation", markup=False)


def _healthy(
    name: str, channel: str, status: ChannelStatus | None, outcome: Outcome | None, report_key: str
) -> Iterator[RenderableType]:
    page = running_page(name, channel)
    yield point_text(page.symbol, page.title)
    if status is not None:
        yield from _state(status)
    if outcome is not None:
        yield Text()
        yield sections_text(outcome_section(outcome))
        yield point("→", f"{report_key} saves all of it as a report.", "bold")


class Problem(Static):
    """The channel is stopped, and no diagnosis of rows can be made; or something could not be reached."""

    def __init__(
        self, name: str, channel: str, error: ReplfixError, status: ChannelStatus | None, outcome: Outcome | None
    ) -> None:
        super().__init__(together(_problem(name, channel, error, status, outcome)), id="situation", markup=False)


def _problem(
    name: str, channel: str, error: ReplfixError, status: ChannelStatus | None, outcome: Outcome | None
) -> Iterator[RenderableType]:
    yield point_text(Symbol.ERROR, words(strong(name), f", {called(channel)}: {error.message}"))
    yield blocks_text(hint_points(error.hint))
    if status is not None:
        yield from _state(status)
    if outcome is not None:
        yield Text()
        yield sections_text(outcome_section(outcome))


def _state(status: ChannelStatus) -> Iterator[RenderableType]:
    yield Text()
    yield title("State")
    yield point("·", f"Channel: {state_of(status).label}")
    yield point("·", f"Source: {status.source_host}:{status.source_port}  {status.source_uuid}")
    applier = "running" if status.applier_running else "stopped"
    lag = "unknown" if status.lag_seconds is None else f"{status.lag_seconds} s"
    yield point("·", f"Receiver: {status.receiver.value}   Applier: {applier}   Lag: {lag}")
    if error := error_of(status):
        yield point("·", f"Error: {error}")
    yield point("·", f"Received: {status.retrieved}")
