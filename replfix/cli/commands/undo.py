"""``replfix undo``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from replfix.cli.confirm_by_name import typed
from replfix.cli.options import ReplicaSelector, common_options
from replfix.cli.output import console, emit, narrate
from replfix.present.safe_text import indented, visible

if TYPE_CHECKING:
    from rich.table import Table as Grid

    from replfix.core.plan.plan import Plan, Step
    from replfix.workflow.undo.undo_repair import UndoOutcome

COMPLETED = 200  # records that a shell's completion looks at


def _repairs(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """The newest repairs on record."""
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
@click.option("--dry-run", is_flag=True, help="Compare, rehearse what is taken back on the source, change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask; without it and without a terminal the command refuses.")
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
    """
    from replfix.cli.documents.undo import undo_document
    from replfix.cli.interrupts import end_on_sigterm, wait_for_a_safe_point
    from replfix.cli.open_servers import open_target, trail_to_write
    from replfix.config import load
    from replfix.wiring import trails
    from replfix.workflow.undo.undo_repair import undo

    config = load(config_path)
    end_on_sigterm()

    def quiet(_: str) -> None:
        return

    with trail_to_write(config) as trail:
        named = None if replica_url else trail.get(record_id).replica
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
            _print(name, undoing)
    return exit_code(undoing)


class ConfirmUndo:
    """Shows the rows and asks; the default is no."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, plan: Plan) -> bool:
        from replfix.core.strategies.undo_plan import in_order
        from replfix.errors import NotDone

        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise NotDone(
                "An undo needs a confirmation, and there is no terminal to ask at.",
                "Look at it with --dry-run, then give --yes.",
            )
        out = console(stderr=True)
        out.print(visible(f"Undo on {self._name} of the repair for {plan.transaction}:"))
        for where, step in in_order(plan):
            out.print("\n" + indented(f"{step.kind} in {step.table} on the {where}"))
            out.print(_row(step, where))
        for said in plan.on_source.sets_off if plan.on_source is not None else ():
            out.print("\n" + indented(said))
        out.print("")
        for risk in plan.risks:
            out.print(indented(f"! {risk}"))
        if plan.on_source is not None:
            return typed("This writes on the source. To carry it out", plan.named_by)
        rows = len(plan.steps)
        return click.confirm(f"Take back {rows} row{'' if rows == 1 else 's'} on the replica?", default=False, err=True)


def _row(step: Step, where: str) -> Grid:
    from rich.table import Table as Grid
    from rich.text import Text

    from replfix.present.row_values_text import shown

    grid = Grid(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for title in ("", "column", f"on the {where} now", "after the undo"):
        grid.add_column(title, overflow="fold")
    now, then = step.current, step.target
    for number, column in enumerate(step.columns):
        differs = now is not None and then is not None and now[number] != then[number]
        grid.add_row(
            Text("≠" if differs else "", style="bold yellow"),
            Text(visible(column)),
            *(Text("(no row)" if image is None else shown(image[number])) for image in (now, then)),
        )
    return grid


def exit_code(undoing: UndoOutcome) -> int:
    from replfix.workflow.undo.undo_repair import UndoResult

    if undoing.result in (UndoResult.UNDONE, UndoResult.NOTHING_TO_DO):
        return 0
    if undoing.result is UndoResult.FAILED:
        return 5
    return 3 if undoing.dry_run and undoing.result is UndoResult.NEEDS_HUMAN else 4


def _print(name: str, undoing: UndoOutcome) -> None:
    from rich.text import Text

    from replfix.core.strategies.undo_plan import in_order
    from replfix.present.remedy_text import in_words, remedy_lines

    out = console()
    code = exit_code(undoing)
    mark, style = {0: ("✔", "bold green"), 3: ("…", "bold yellow")}.get(code, ("✗", "bold red"))
    if code in (0, 3):
        for where, step in in_order(undoing.plan):
            there = "on the source: " if where == "source" else ""
            out.print(Text(f"  {there}{indented(step.sql)}"))
        for said in undoing.plan.on_source.sets_off if undoing.plan.on_source is not None else ():
            out.print(Text(f"  {indented(said)}"))
        if undoing.dry_run:
            for risk in undoing.plan.risks:
                out.print(Text(f"  ! {indented(risk)}"))
    word = "" if undoing.dry_run else f"{undoing.result.value.replace('_', ' ')}: "
    message = indented(undoing.message if not undoing.in_the_way else f"{len(undoing.in_the_way)} in the way")
    out.print(Text.assemble((f"{mark} ", style), (visible(name), "bold"), f": {word}{message}"))
    out.print(Text(f"  Told by the {indented(undoing.undoes.named)}."))
    for reason in undoing.in_the_way:
        out.print(Text(f"  - {indented(reason)}"))
    for mark, text, _, indent in remedy_lines(in_words(undoing.remedies, undoing.source)):
        out.print(Text(f"  {' ' * indent}{mark} {indented(text)}"))
    if undoing.hint:
        out.print(Text(f"Next: {indented(undoing.hint)}"))
    for record in undoing.audit_ids:
        out.print(Text(f"On record: replfix audit show {record}"))
