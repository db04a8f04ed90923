"""``replfix status``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from replfix.cli.exit_codes import worst
from replfix.cli.options import ReplicaSelector, both_given, common_options, replicas_options
from replfix.cli.output import console, emit, narrate, narrate_unknown_errant
from replfix.present.safe_text import visible

if TYPE_CHECKING:
    from replfix.cli.documents.status import ChannelPart, ReplicaPart, StatusDocument
    from replfix.config import Config
    from replfix.wiring.servers import TargetConnections

MOST_AT_ONCE = 64  # replicas that are asked at the same time
STOPPED = 3


@click.command(
    "status",
    epilog="""\b
Examples:
  replfix status                                   every configured replica
  replfix status db2 db3 --json
  replfix status --replica mysql://dba@10.0.0.2 --replica mysql://dba@10.0.0.3
  replfix status -h 10.0.0.2 -u dba -p
  replfix status --nagios --warning 60 --critical 600
\b
Exit codes: 0 all channels run · 2 a server is no replica · 3 a channel is stopped · 6 a replica cannot be reached;
with --nagios 0 OK · 1 WARNING · 2 CRITICAL · 3 UNKNOWN""",
)
@replicas_options
@click.option("--nagios", is_flag=True, help="One line and the exit code of a monitoring plugin.")
@click.option(
    "--warning", type=click.IntRange(min=0), metavar="SECONDS", help="With --nagios: WARNING from this lag on."
)
@click.option(
    "--critical", type=click.IntRange(min=0), metavar="SECONDS", help="With --nagios: CRITICAL from this lag on."
)
@common_options
def command(
    meant: tuple[ReplicaSelector, ...],
    nagios: bool,
    warning: int | None,
    critical: int | None,
    config_path: str | None,
    as_json: bool,
    verbose: bool,  # noqa: ARG001
) -> int:
    """Show every replica and channel, one line each. Reads only."""
    from replfix.config import load
    from replfix.errors import UsageError

    if nagios and as_json:
        raise both_given("--json", "--nagios")
    if not nagios and (warning is not None or critical is not None):
        raise UsageError("--warning and --critical are for --nagios.", "Give them with --nagios.")
    document = _read(load(config_path), meant, alone_raises=not nagios)
    if nagios:
        from replfix.cli.nagios import verdict

        state, line = verdict(document, warning, critical)
        click.echo(line)
        return state
    if as_json:
        emit(document)
    else:
        _print(document)
    stopped = any(not _well(c) for replica in document.replicas for c in replica.channels)
    return worst((*(lost.exit_code for lost in document.unreachable), STOPPED if stopped else 0))


def _read(config: Config, meant: tuple[ReplicaSelector, ...], *, alone_raises: bool) -> StatusDocument:
    """Return what was read. With ``alone_raises`` the error of a single replica ends the command."""
    from concurrent.futures import ThreadPoolExecutor

    from replfix.cli.documents.status import ReplicaPart, StatusDocument, UnreachablePart
    from replfix.cli.open_servers import open_targets
    from replfix.errors import ReplfixError

    opened = open_targets(config, meant)

    def ask(wired: TargetConnections) -> ReplicaPart | UnreachablePart:
        with wired:
            try:
                return _replica(wired, meant[0].channel)
            except ReplfixError as error:
                if len(opened) == 1 and alone_raises:
                    raise
                at = wired.target.replica
                return UnreachablePart(
                    name=wired.target.name,
                    host=at.host,
                    port=at.port,
                    message=error.message,
                    exit_code=error.exit_code,
                )

    # All at once: one that does not answer should not delay the others.
    with ThreadPoolExecutor(max_workers=MOST_AT_ONCE) as pool:
        answers = list(pool.map(ask, opened))
    replicas = [a for a in answers if isinstance(a, ReplicaPart)]
    unreachable = [a for a in answers if isinstance(a, UnreachablePart)]
    return StatusDocument(replicas=replicas, unreachable=unreachable)


def _replica(wired: TargetConnections, only: str | None) -> ReplicaPart:
    from replfix.one_look import one_look

    with one_look():
        return _looked_at(wired, only)


def _looked_at(wired: TargetConnections, only: str | None) -> ReplicaPart:
    from replfix.cli.documents.status import ReplicaPart, channel_part
    from replfix.core.replication.on_its_way import OnlyHere
    from replfix.errors import ReplfixError, UsageError
    from replfix.workflow.investigate.errant.find_errant import errant

    status = wired.replica.status()
    if only is not None and status.channel(only) is None:
        raise UsageError(f"The replica has no channel {only!r}.")
    parts: list[ChannelPart] = []
    for channel in status.channels:
        if only is not None and channel.name != only:
            continue
        strays: OnlyHere | None = None
        try:
            # Without GTIDs nobody knows: an empty set would say that there are none.
            strays = (
                None
                if status.gtid_mode == "OFF"
                else errant(wired.replica, status, channel, wired.source_of(channel), wired.source_of)
            )
            for why in strays.why if strays is not None else ():
                narrate(f"{wired.target.name}: {why}")
        except ReplfixError as error:
            narrate_unknown_errant(wired.target.name, error)
        parts.append(channel_part(status, channel, strays))
    at = wired.target.replica
    return ReplicaPart(
        name=wired.target.name,
        host=at.host,
        port=at.port,
        version=status.version,
        server_uuid=status.server_uuid,
        read_only=status.read_only,
        super_read_only=status.super_read_only,
        channels=parts,
    )


def _well(channel: ChannelPart) -> bool:
    return channel.receiver_running and channel.applier_running


def _state(channel: ChannelPart) -> tuple[str, str]:
    """Return symbol and word, and the colour that goes with them."""
    if channel.error or channel.receiver_error:
        return "✗ error", "bold red"
    if not channel.applier_running or not channel.receiver_running:
        return "■ stopped", "yellow"
    return "✔ running", "green"


def _brief(channel: ChannelPart) -> str:
    from replfix.core.replication import applier_error

    if channel.error:
        return applier_error.parse(channel.error.errno, channel.error.message).brief
    return channel.receiver_error.message if channel.receiver_error else ""


def _errant(channel: ChannelPart) -> str:
    if channel.errant_gtid_set is None:
        return "unknown"
    none = "none, some on their way" if channel.in_transit_gtid_set else "none"
    return visible(channel.errant_gtid_set) or none


def _print(document: StatusDocument) -> None:
    from rich.table import Table
    from rich.text import Text

    from replfix.core.remedies.errant_transactions import SEE_ERRANT

    grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for title in ("replica", "channel", "state", "lag", "source", "errant", "error"):
        grid.add_column(
            title,
            overflow="fold" if title in ("errant", "error") else "ellipsis",
            no_wrap=title not in ("errant", "error"),
        )
    for replica in document.replicas:
        for channel in replica.channels:
            state, style = _state(channel)
            error = channel.error or channel.receiver_error
            grid.add_row(
                Text(visible(replica.name)),
                Text(visible(channel.name) or "(default)"),
                Text(state, style=style),
                Text("-" if channel.lag_seconds is None else f"{channel.lag_seconds} s"),
                Text(visible(channel.source)),
                Text(_errant(channel)),
                Text(f"{error.errno} {visible(_brief(channel), keep_newlines=False)}" if error else ""),
            )
    for lost in document.unreachable:
        grid.add_row(
            Text(visible(lost.name)),
            Text(""),
            Text("? unreachable", style="red"),
            *[Text("")] * 3,
            Text(visible(lost.message)),
        )
    console().print(grid)
    if any(channel.errant_gtid_set for replica in document.replicas for channel in replica.channels):
        console().print(Text(f"Errant transactions: {SEE_ERRANT}", style="yellow"))
