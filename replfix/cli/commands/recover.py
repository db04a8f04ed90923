"""``replfix recover``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from replfix.cli.exit_codes import worst
from replfix.cli.options import ReplicaSelector, common_options, replicas_options
from replfix.cli.output import emit, narrate, print_page

if TYPE_CHECKING:
    from replfix.audit import SqlTrail
    from replfix.present.page.recover_page import RecoverAttempt
    from replfix.wiring.servers import TargetConnections
    from replfix.workflow.recover.recovery import Recovered


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
@replicas_options
@common_options
def command(meant: tuple[ReplicaSelector, ...], config_path: str | None, as_json: bool, verbose: bool) -> int:
    """Finish or take back what an interrupted run left behind (kill -9, a lost server).

    Settings that it changed are put back. For a repair whose end nobody recorded, the rows and the replica's status tell
    what became of it, and that goes on record. A channel that the run was about to start again is started. Every command
    that writes does the same before it begins.
    """
    from replfix.cli.documents.recover import recover_document
    from replfix.cli.interrupts import end_on_sigterm
    from replfix.cli.open_servers import open_targets, trail_to_write
    from replfix.config import load
    from replfix.present.page.recover_page import recover_page

    config = load(config_path)
    end_on_sigterm()
    wireds = open_targets(config, meant)
    attempts: list[RecoverAttempt] = []
    servers: set[str] = set()
    with trail_to_write(config) as trail:
        for wired in wireds:
            with wired:
                attempts.append(_one(wired, trail, servers, quiet=as_json and not verbose))
        reached = all(attempt.error is None for attempt in attempts)
        elsewhere = [] if meant[0].named or not reached else _elsewhere(trail, servers)
        if as_json:
            emit(recover_document(attempts, elsewhere))
        else:
            print_page(recover_page(attempts, elsewhere))
    return worst(attempt.error.exit_code for attempt in attempts if attempt.error is not None)


def _one(wired: TargetConnections, trail: SqlTrail, servers: set[str], *, quiet: bool) -> RecoverAttempt:
    from replfix.errors import ReplfixError
    from replfix.present.page.recover_page import RecoverAttempt
    from replfix.wiring import trails
    from replfix.workflow.recover.recovery import recover

    done: list[Recovered] = []
    try:
        servers.add(wired.replica.uuid())
        done.extend(recover(trails.operation(wired, trail, (lambda _: None) if quiet else narrate)))
    except ReplfixError as error:
        return RecoverAttempt(wired.target.name, done, error)
    return RecoverAttempt(wired.target.name, done)


def _elsewhere(trail: SqlTrail, servers: set[str]) -> list[str]:
    from replfix.workflow.recover.recovery import server_of

    found = (*trail.open_settings(), *trail.open_intents())
    return [record.id for record in found if server_of(record) not in servers]
