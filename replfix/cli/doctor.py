"""``replfix doctor``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from replfix.cli.options import Meant, common_options, replica_options
from replfix.cli.output import console, emit
from replfix.present.text import visible

if TYPE_CHECKING:
    from replfix.config import Config
    from replfix.core.checkup import Check
    from replfix.wiring import Wired


@click.command(
    "doctor",
    epilog="""\b
Examples:
  replfix doctor db2
  replfix doctor --replica mysql://dba@10.0.0.2 --json
\b
Exit codes: 0 everything that replfix does will work · 6 something will not""",
)
@replica_options
@common_options
def command(
    meant: Meant,
    config_path: str | None,
    as_json: bool,
    verbose: bool,  # noqa: ARG001
) -> int:
    """Check that replfix can reach everything, and what the account's privileges allow. Reads only.

    A missing privilege is named with the GRANT that gives it.
    """
    from replfix.cli.documents.doctor import doctor_document
    from replfix.cli.opening import open_target
    from replfix.config import load
    from replfix.core.checkup import Verdict
    from replfix.errors import ConnectError

    config = load(config_path)
    with open_target(config, meant) as wired:
        checks: list[Check] = []
        for check in _checks(wired, config):
            checks.append(check)
            if not as_json:
                _print(check)
        if as_json:
            emit(doctor_document(wired.target.name, checks))
    return ConnectError.exit_code if any(c.verdict is Verdict.FAILED for c in checks) else 0


def _checks(wired: Wired, config: Config) -> Iterator[Check]:
    from replfix.wiring import check_trail
    from replfix.workflow.checkup import examine

    yield from examine(wired.replica, wired.source_of, wired.target.channel)
    yield from check_trail(config, wired.replica)


def _print(check: Check) -> None:
    from rich.table import Table
    from rich.text import Text

    mark, style = {"ok": ("✔", "green"), "warning": ("!", "yellow"), "failed": ("✘", "bold red")}[check.verdict.value]
    grid = Table.grid(padding=(0, 1))
    grid.add_row(Text(mark, style=style), Text(visible(check.message)))
    if check.fix:
        grid.add_row("", Text(visible(check.fix), style="bold"))
    console().print(grid)
