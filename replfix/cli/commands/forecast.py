"""``replfix forecast``."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import click

from replfix.cli.exit_codes import worst
from replfix.cli.options import ReplicaSelector, both_given, common_options, replicas_options
from replfix.cli.output import emit, narrate, show_pages

if TYPE_CHECKING:
    from replfix.config import Config
    from replfix.core.conflicts.ahead.forecast import Forecast
    from replfix.errors import ReplfixError
    from replfix.ports import Progress
    from replfix.wiring.servers import TargetConnections
    from replfix.workflow.forecast.forecast_backlog import Bounds

CONFLICT_FOUND = 3
NOT_ALL_LOOKED_AT = 4
MEMORY = "300M"


class _Size(click.ParamType[int]):
    """A number of bytes, with K, M or G after it (powers of 1024)."""

    name = "size"
    _UNITS = ("", "K", "M", "G")

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"([0-9]+)([KMG]?)i?B?", str(value), re.IGNORECASE)
        if found is None:
            self.fail(f"{value!r} is no size: write 300M or 2G.", param, ctx)
        return int(found[1]) << 10 * self._UNITS.index(found[2].upper())


@click.command(
    "forecast",
    epilog="""\b
Examples:
  replfix forecast db2
  replfix forecast --replica mysql://dba@10.0.0.2 --source mysql://dba@10.0.0.1
  replfix forecast db2 db3 --max-seconds 60 --json
  replfix forecast db2 --values
  replfix forecast db2 --prove
  replfix forecast db2 --json | jq -r '.conflicts[] | "\\(.transaction.gtid) \\(.schema).\\(.table) \\(.errno)"'
\b
Exit codes: 0 nothing ahead · 3 conflicts ahead · 4 none found, and not everything looked at ·
6 cannot connect, or a privilege is missing""",
)
@replicas_options
@click.option("--values", is_flag=True, help="Also show what would be overwritten or deleted without an error.")
@click.option(
    "--prove",
    is_flag=True,
    help="Have the replica's own applier rehearse the backlog, rolled back; it needs the privileges of a dry run.",
)
@click.option("--max-rows", type=click.IntRange(min=1), metavar="N", help="Look at no more rows than this.")
@click.option("--max-seconds", type=click.FloatRange(min=0.1), metavar="N", help="Look for no longer than this.")
@click.option(
    "--max-memory",
    type=_Size(),
    default=MEMORY,
    show_default=True,
    metavar="SIZE",
    help="Keep no more than this in memory.",
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Show every conflict and column; else of more than a few a summary by table, and examples.",
)
@common_options
def command(
    meant: tuple[ReplicaSelector, ...],
    values: bool,
    prove: bool,
    max_rows: int | None,
    max_seconds: float | None,
    max_memory: int,
    everything: bool,
    config_path: str | None,
    as_json: bool,
    verbose: bool,
) -> int:
    """Show the conflicts that wait in the backlog, before they stop the replica. Reads only, but with --prove.

    Compares the transactions that a replica has not applied yet with its rows, in their order, and shows what each of them
    would conflict with: on a stopped channel, which errors follow the first one. What was not looked at is shown too.
    """
    from replfix.cli.open_servers import open_targets
    from replfix.config import load
    from replfix.errors import ReplfixError
    from replfix.workflow.forecast.forecast_backlog import Bounds

    if values and prove:
        raise both_given("--values", "--prove")
    config = load(config_path)
    opened = open_targets(config, meant)
    bounds = Bounds(max_rows, max_seconds, max_memory)
    looked_at: list[tuple[str, Forecast | ReplfixError, int]] = []
    for wired in opened:
        name = wired.target.name
        progress = _quiet if as_json and not verbose else narrate
        if len(opened) > 1:
            progress(f"{name}:")
        try:
            with wired:
                found = (
                    _proven(config, wired, bounds, progress) if prove else _read(wired, bounds, progress, values=values)
                )
        except ReplfixError as error:
            if len(opened) == 1:
                raise
            looked_at.append((name, error, error.exit_code))
        else:
            looked_at.append((name, found, exit_code(found)))
    if as_json:
        from replfix.cli.documents.forecast import forecast_document

        emit(forecast_document(looked_at))
    else:
        _print(looked_at, everything=everything)
    return worst(code for *_, code in looked_at)


def exit_code(found: Forecast) -> int:
    """Return 0 only where nothing was found and everything was looked at."""
    if found.conflicts:
        return CONFLICT_FOUND
    return 0 if found.scanned.complete else NOT_ALL_LOOKED_AT


def _quiet(_: object) -> None:
    return


def _read(wired: TargetConnections, bounds: Bounds, progress: Progress, *, values: bool) -> Forecast:
    from replfix.wiring.servers import SystemClock
    from replfix.workflow.forecast.find_authors import with_authors
    from replfix.workflow.forecast.forecast_backlog import forecast

    clock = SystemClock()
    found = forecast(wired.replica, wired.source_of, wired.target.channel, clock, bounds, progress, values=values)
    return with_authors(found, wired.replica, clock, progress)


def _proven(config: Config, wired: TargetConnections, bounds: Bounds, progress: Progress) -> Forecast:
    """Let the replica rehearse the backlog. A bound that was not given is that of a rehearsal: it has locks."""
    from replfix.cli.interrupts import end_on_sigterm, wait_for_a_safe_point
    from replfix.cli.open_servers import trail_to_write
    from replfix.wiring import trails
    from replfix.wiring.servers import SystemClock
    from replfix.workflow.forecast.find_authors import with_authors
    from replfix.workflow.forecast.forecast_backlog import Bounds
    from replfix.workflow.forecast.prove import PROVE, prove

    end_on_sigterm()
    most = Bounds(bounds.max_rows or PROVE.max_rows, bounds.max_seconds or PROVE.max_seconds, bounds.max_memory)
    with trail_to_write(config) as trail:
        operation = trails.operation(wired, trail, progress, wait_for_a_safe_point)
        return with_authors(prove(operation, wired.target.channel, most), wired.replica, SystemClock(), progress)


def _print(looked_at: list[tuple[str, Forecast | ReplfixError, int]], *, everything: bool) -> None:
    from replfix.core.conflicts.ahead.forecast import Forecast
    from replfix.present.page.detail import AHEAD, WHOLE
    from replfix.present.page.forecast_page import forecast_page, unknown_page

    detail, several = WHOLE if everything else AHEAD, len(looked_at) > 1
    show_pages(
        forecast_page(name, found, shlex.quote(name) if several else "", detail=detail)
        if isinstance(found, Forecast)
        else unknown_page(name, found.message, found.hint)
        for name, found, _ in looked_at
    )
