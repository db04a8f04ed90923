"""``replfix undo``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from replfix.cli.client_options import client_options
from replfix.cli.confirm_by_name import NO_TERMINAL, typed
from replfix.cli.options import ReplicaSelector, common_options
from replfix.cli.output import emit, narrate, print_page
from replfix.core.words import counted
from replfix.present.safe_text import visible

if TYPE_CHECKING:
    from replfix.core.plan.plan import Plan
    from replfix.workflow.undo.undo_repair import UndoOutcome

COMPLETED = 200  # records that a shell's completion looks at


def _repairs(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the newest repairs on record whose ids begin with ``incomplete``."""
    from itertools import islice

    from replfix.config import load
    from replfix.errors import ReplfixError
    from replfix.wiring import trails

    try:
        trail = trails.open_trail(load(ctx.params.get("config_path")))
        newest = islice(trail.records(newest_first=True), COMPLETED)
        return [record.id for record in newest if record.kind == "intent" and record.id.startswith(incomplete)]
    except ReplfixError:
        return []


@click.command(
    "undo",
    epilog="""\b
Examples:
  replfix undo 3f2a9c --dry-run          can it be undone? compares, changes nothing
  replfix undo 3f2a9c                    shows the rows and asks
  replfix undo 3f2a9c41d07e --yes --json
\b
Exit codes: 0 undone, or nothing to undo · 3 dry run: it can be undone · 4 refused, nothing changed ·
5 something was changed and not everything is verified · 6 cannot connect, or a privilege is missing""",
)
@click.argument("record_id", metavar="ID", shell_complete=_repairs)
@click.option(
    "--replica",
    "replica_url",
    metavar="URL",
    help="The replica that was repaired, when it is not configured under the name that the record has.",
)
@click.option(
    "--dry-run", is_flag=True, help="Compare, rehearse what is taken back on the source; nothing stays changed."
)
@click.option("--yes", is_flag=True, help="Do not ask; without it and without a terminal the command refuses.")
@client_options
@common_options
def command(
    record_id: str,
    replica_url: str | None,
    dry_run: bool,
    yes: bool,
    config_path: str | None,
    as_json: bool,
    verbose: bool,
) -> int:
    """Take a repair back: displaced rows return, in one transaction on the replica that is not logged. What keep-both or
    replica-wins wrote on the source is taken back there first, logged, from where it comes to every replica.

    ID is any record of the repair in the audit trail, or the beginning of its id. All rows are put back, or none: it is
    refused, with the reasons, when a row is not any more as the repair left it, or when a key is taken by another row.
    The failing transaction itself is not taken back.
    """  # noqa: D205 - the help text
    from replfix.cli.documents.undo import undo_document
    from replfix.cli.interrupts import end_on_sigterm, wait_for_a_safe_point
    from replfix.cli.open_servers import open_target, trail_to_write
    from replfix.config import load
    from replfix.wiring import trails
    from replfix.workflow.undo.undo_repair import undo

    config = load(config_path)
    end_on_sigterm()

    def quiet(_: object) -> None:
        return

    with trail_to_write(config) as trail:
        named = None if replica_url or config.names_a_server else trail.get(record_id).replica
        with open_target(config, ReplicaSelector(named, replica_url, None, None)) as wired:
            name = wired.target.name
            undoing = undo(
                trails.operation(wired, trail, quiet if as_json and not verbose else narrate, wait_for_a_safe_point),
                record_id,
                dry_run=dry_run,
                confirm=(lambda _: True) if yes else ConfirmUndo(name),
            )
        if as_json:
            emit(undo_document(name, undoing))
        else:
            from replfix.present.page.undo_page import undo_page

            print_page(undo_page(name, undoing))
    return exit_code(undoing)


class ConfirmUndo:
    """The question before an undo, under its rows; the default is no."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, plan: Plan) -> bool:
        """Show the rows and ask; return whether they are to be put back. NotDone without a terminal to ask at."""
        from replfix.errors import NotDone
        from replfix.present.page.confirmation_page import type_to_apply
        from replfix.present.page.page_model import plain
        from replfix.present.page.undo_page import undo_question

        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise NotDone(
                "An undo needs a confirmation, and there is no terminal to ask at.",
                NO_TERMINAL,
            )
        click.echo(visible(f"Undo on {self._name} of the repair for {plan.covers}:\n"), err=True)
        print_page(undo_question(plan), stderr=True)
        if plan.on_source is not None:
            return typed(plain(type_to_apply(plan)), plan.named_by)
        return click.confirm(f"\nPut back {counted(len(plan.steps), 'row')} on the replica?", default=False, err=True)


def exit_code(undoing: UndoOutcome) -> int:
    """Return the exit code for an undo: 3 for a dry run that found it possible, 4 where nothing was changed."""
    from replfix.workflow.undo.undo_repair import UndoResult

    if undoing.result in (UndoResult.UNDONE, UndoResult.NOTHING_TO_DO):
        return 0
    if undoing.result is UndoResult.FAILED:
        return 5
    return 3 if undoing.result is UndoResult.REHEARSED else 4
