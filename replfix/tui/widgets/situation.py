"""How a channel stands when there is no conflict to show: it runs, or it is stopped for another reason."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text
from textual.widgets import Static

from replfix.core.plan.outcome import Outcome
from replfix.core.replication.replica_status import ChannelStatus
from replfix.errors import ReplfixError
from replfix.present.channel_state import error_of, state_of
from replfix.present.safe_text import visible
from replfix.tui.widgets.outcome import outcome_lines
from replfix.tui.widgets.points import point, title, together


def called(channel: str) -> str:
    return f"channel {visible(channel, keep_newlines=False)}" if channel else "the default channel"


class Healthy(Static):
    """``outcome``: what was done about it from here, when that is why it runs."""

    def __init__(self, name: str, channel: str, status: ChannelStatus | None, outcome: Outcome | None) -> None:
        super().__init__(together(_healthy(name, channel, status, outcome)), id="situation", markup=False)


def _healthy(
    name: str, channel: str, status: ChannelStatus | None, outcome: Outcome | None
) -> Iterator[RenderableType]:
    heading = Text.assemble((visible(name), "bold"), f": {called(channel)} runs. There is nothing to resolve.")
    yield point("✔", heading, "bold green")
    if status is not None:
        yield from _standing(status)
    if outcome is not None:
        yield Text()
        yield title("What was done")
        yield from outcome_lines(outcome)
        yield point("→", "m saves all of it as a report.", "bold")


class Problem(Static):
    """The channel stands, and no diagnosis of rows can be made; or something could not be reached."""

    def __init__(
        self, name: str, channel: str, error: ReplfixError, status: ChannelStatus | None, outcome: Outcome | None
    ) -> None:
        super().__init__(together(_problem(name, channel, error, status, outcome)), id="situation", markup=False)


def _problem(
    name: str, channel: str, error: ReplfixError, status: ChannelStatus | None, outcome: Outcome | None
) -> Iterator[RenderableType]:
    heading = Text.assemble((visible(name), "bold"), f", {called(channel)}: {visible(error.message)}")
    yield point("✗", heading, "bold red")
    if error.hint:
        yield point("→", error.hint, "bold")
    if status is not None:
        yield from _standing(status)
    if outcome is not None:
        yield Text()
        yield title("What was done before")
        yield from outcome_lines(outcome)


def _standing(status: ChannelStatus) -> Iterator[RenderableType]:
    yield Text()
    yield title("How it stands")
    yield point("·", f"State: {state_of(status).label}")
    yield point("·", f"Source: {status.source_host}:{status.source_port}  {status.source_uuid}")
    applier = "running" if status.applier_running else "stopped"
    lag = "not known" if status.lag_seconds is None else f"{status.lag_seconds} s"
    yield point("·", f"Receiver: {status.receiver.value}   Applier: {applier}   Lag: {lag}")
    if error := error_of(status):
        yield point("·", f"Error: {error}")
    yield point("·", f"Received: {status.retrieved}")
