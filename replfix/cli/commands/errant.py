"""``replfix errant``."""

from __future__ import annotations

import click

from replfix.cli.options import ReplicaSelector, common_options, replica_options
from replfix.cli.output import emit, narrate, print_page

FOUND = 3
NOT_ALL_LOOKED_AT = 4


@click.command(
    "errant",
    epilog="""\b
Examples:
  replfix errant db2
  replfix errant --replica mysql://dba@10.0.0.2 --source mysql://dba@10.0.0.1
  replfix errant db2 --json | jq '.rows[] | select(.verdict == "different")'
\b
Exit codes: 0 none · 3 found · 4 none found, and not everything looked at (no GTIDs, or a server that could
not be asked) · 6 cannot connect, or a privilege is missing""",
)
@replica_options
@common_options
def command(
    meant: ReplicaSelector,
    config_path: str | None,
    as_json: bool,
    verbose: bool,  # noqa: ARG001
) -> int:
    """Show the transactions that only a replica has, and what can be done. Reads only.

    For each transaction that the source does not have: its rows, decoded from the replica's own binlog, whether they still
    differ from the source's, whether it is on its way there, and what follows from leaving it. Then the options, each with
    statements, what they lose and what they lead to.
    """
    from replfix.cli.documents.errant import LimitsPart, errant_document
    from replfix.cli.open_servers import open_target
    from replfix.config import load
    from replfix.core.remedies.errant_options import STATEMENTS_FOR
    from replfix.present.page.errant_page import errant_page
    from replfix.wiring.servers import SystemClock
    from replfix.workflow.investigate.errant.compare_errant import ROWS
    from replfix.workflow.investigate.errant.examine_errant import DEEP, examine_errant

    with open_target(load(config_path), meant) as wired:
        name = wired.target.name
        found = examine_errant(wired.replica, wired.source_of, wired.target.channel, SystemClock(), narrate)
    if as_json:
        limits = LimitsPart(transactions=DEEP.shown, rows=ROWS, statements=STATEMENTS_FOR)
        emit(errant_document(name, found, limits))
    else:
        print_page(errant_page(name, found))
    if found.errant is not None and found.errant.gtids:
        return FOUND
    return 0 if found.complete else NOT_ALL_LOOKED_AT
