"""``replfix recover``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from replfix.cli.options import ReplicaSelector, common_options, replica_options
from replfix.cli.output import console, emit, narrate
from replfix.present.safe_text import indented, visible

if TYPE_CHECKING:
    from replfix.audit import SqlTrail
    from replfix.cli.documents.recover import RecoverDocument, RecoverReplicaPart
    from replfix.wiring.servers import TargetConnections

_WORST_FIRST = (1, 5, 6, 4)  # what was changed and is not right comes before what could not be looked at


@click.command(
    "recover",
    epilog="""\b
Examples:
  replfix recover                        every configured replica
  replfix recover db2 --json
  replfix recover --replica mysql://dba@10.0.0.2
\b
Exit codes: 0 nothing was left behind, or all of it is put right · 4 a run is still at work, or the trail cannot be read ·
5 something could not be put back · 6 a replica cannot be reached""",
)
@replica_options
@common_options
def command(meant: ReplicaSelector, config_path: str | None, as_json: bool, verbose: bool) -> int:
    """Finish or take back what an interrupted run left behind (kill -9, a lost server).

    Settings that it changed are put back. For a repair whose end nobody recorded, the rows and the replica's status tell
    what became of it, and that goes on record. A channel that the run was about to start again is started. Every command
    that writes does the same before it begins.
    """
    from replfix.cli.documents.recover import RecoverDocument
    from replfix.cli.interrupts import end_on_sigterm
    from replfix.cli.open_servers import agree, ask_password, open_target, trail_to_write
    from replfix.config import load
    from replfix.wiring.servers import TargetConnections

    config = load(config_path)
    end_on_sigterm()
    if meant.one or len(config.targets()) < 2:
        wireds = [open_target(config, meant)]
    else:
        wireds = [TargetConnections(target, ask_password, agree) for target in config.targets()]
    parts: list[RecoverReplicaPart] = []
    servers: set[str] = set()
    with trail_to_write(config) as trail:
        for wired in wireds:
            with wired:
                parts.append(_one(wired, trail, servers, quiet=as_json and not verbose))
        reached = all(part.error is None for part in parts)
        elsewhere = [] if meant.one or not reached else _elsewhere(trail, servers)
        document = RecoverDocument(replicas=parts, elsewhere=elsewhere)
        if as_json:
            emit(document)
        else:
            _print(document)
    codes = {part.error.exit_code for part in parts if part.error is not None}
    return next((code for code in _WORST_FIRST if code in codes), max(codes, default=0))


def _one(wired: TargetConnections, trail: SqlTrail, servers: set[str], *, quiet: bool) -> RecoverReplicaPart:
    from replfix.cli.documents.recover import RecoveredPart, RecoverErrorPart, RecoverReplicaPart
    from replfix.errors import ReplfixError
    from replfix.wiring import trails
    from replfix.workflow.recover.recovery import recover

    done: list[RecoveredPart] = []
    failed = None
    try:
        servers.add(wired.replica.uuid())
        for each in recover(trails.operation(wired, trail, (lambda _: None) if quiet else narrate)):
            done.append(
                RecoveredPart(
                    left_by=each.told_by.id,
                    recorded_at=each.told_by.recorded_at,
                    author=each.told_by.author,
                    audit_id=each.audit_id,
                    channel=each.channel,
                    message=each.message,
                    next=each.next,
                )
            )
    except ReplfixError as error:
        failed = RecoverErrorPart(message=error.message, hint=error.hint, exit_code=error.exit_code)
    return RecoverReplicaPart(name=wired.target.name, recovered=done, error=failed)


def _elsewhere(trail: SqlTrail, servers: set[str]) -> list[str]:
    from replfix.workflow.recover.recovery import server_of

    found = (*trail.open_settings(), *trail.open_intents())
    return [record.id for record in found if server_of(record) not in servers]


def _print(document: RecoverDocument) -> None:
    from rich.text import Text

    out = console()
    for replica in document.replicas:
        name = visible(replica.name)
        for each in replica.recovered:
            out.print(Text.assemble(("✔ ", "bold green"), (name, "bold"), f": {indented(each.message)}"))
            if each.next:
                out.print(Text(f"  Next: {indented(each.next)}"))
            out.print(Text(f"  On record: replfix audit show {each.audit_id}"))
        if replica.error is not None:
            out.print(Text.assemble(("✗ ", "bold red"), (name, "bold"), f": {indented(replica.error.message)}"))
            if replica.error.hint:
                out.print(Text(f"  Next: {indented(replica.error.hint)}"))
        elif not replica.recovered:
            out.print(Text.assemble(("✔ ", "bold green"), (name, "bold"), ": nothing was left behind."))
    for record in document.elsewhere:
        out.print(Text(f"! An interrupted run on a server that is none of these replicas: replfix audit show {record}"))
