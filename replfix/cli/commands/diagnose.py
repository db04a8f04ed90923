"""``replfix diagnose``."""

from __future__ import annotations

import click

from replfix.cli.options import ReplicaSelector, common_options, replica_options
from replfix.cli.output import emit, narrate, narrate_advance, narrate_unknown_errant, show_page

CONFLICT_FOUND = 3


@click.command(
    "diagnose",
    epilog="""\b
Examples:
  replfix diagnose db2
  replfix diagnose --replica mysql://dba@10.0.0.2 --source mysql://dba@10.0.0.1
  replfix diagnose db2 --json | jq '.causes[0].code'
\b
Exit codes: 0 the channel runs · 3 it is stopped · 6 cannot connect, or a privilege is missing""",
)
@replica_options
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Show every conflict, column and statement; else of more than a few a summary by table, and examples.",
)
@common_options
def command(
    meant: ReplicaSelector,
    everything: bool,
    config_path: str | None,
    as_json: bool,
    verbose: bool,
) -> int:
    """Say what stopped a replica, why, and what can be done. Reads only.

    Reads the failing transaction from the source's binlog, holds each of its rows against the replica's, and shows the
    incoming, the replica's and the source's row side by side. Transactions that only the replica has (errant ones) are shown with
    what they hold, also when nothing is stopped.
    """
    from replfix.cli.documents.diagnosis import diagnosis_document
    from replfix.cli.open_servers import open_target
    from replfix.config import load
    from replfix.errors import ReplfixError
    from replfix.one_look import one_look
    from replfix.wiring import trails
    from replfix.workflow.investigate.errant.find_errant import find_errant
    from replfix.workflow.investigate.investigation import investigate

    progress = narrate if verbose else narrate_advance
    config = load(config_path)
    with open_target(config, meant) as wired, one_look(whole=True):
        diagnosis = investigate(
            wired.replica, wired.source_of, wired.target.channel, progress, lambda: trails.trail_to_read(config)
        )
        errant = None
        try:
            errant = find_errant(wired.replica, wired.source_of, wired.target.channel, progress)
        except ReplfixError as error:
            if diagnosis is None or diagnosis.evidence.unreachable is None:  # else the diagnosis has it
                narrate_unknown_errant(wired.target.name, error)
        if as_json:
            emit(diagnosis_document(wired.target.name, diagnosis, errant))
        else:
            from replfix.present.page.detail import BRIEF, WHOLE
            from replfix.present.page.incident_page import incident_page, running_page

            name, channel = wired.target.name, wired.target.channel
            detail = WHOLE if everything else BRIEF
            found = (
                running_page(name, channel, errant)
                if diagnosis is None
                else incident_page(name, diagnosis, errant, detail=detail)
            )
            show_page(found)
    return 0 if diagnosis is None else CONFLICT_FOUND
