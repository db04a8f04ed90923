"""A diagnosis as people read it. Differences are marked with a symbol first, a colour second."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from replfix.core.advisor.pointer import keep_apart
from replfix.present.errant_text import errant_lines
from replfix.present.left_out import left_out_lines
from replfix.present.reasons import reasons
from replfix.present.remedy_text import TITLE, remedy_lines, remedy_texts
from replfix.present.row_values_text import cell, why_not_read
from replfix.present.safe_text import indented, visible

if TYPE_CHECKING:
    from replfix.core.conflicts.reconcile import Conflict
    from replfix.core.diagnosis.diagnosis import Diagnosis
    from replfix.core.plan.plan import Plan
    from replfix.core.remedies.errant_transactions import Errant
    from replfix.core.rows.row_values import NotRead, RowImage

CONFLICTS_SHOWN = 20


def diagnosis_text(name: str, diagnosis: Diagnosis | None, errant: Errant | None = None) -> RenderableType:
    """``diagnosis`` None: the channel runs."""
    parts = list(_parts(name, diagnosis)) if diagnosis is not None else [_runs(name)]
    if errant:
        parts += [Text(), *(_point(line.mark, line.text, "yellow", line.indent * 2) for line in errant_lines(errant))]
    return Group(*parts)


def _runs(name: str) -> RenderableType:
    return Text(f"✔ {visible(name)}: replication runs, nothing to diagnose.")


def _parts(name: str, diagnosis: Diagnosis) -> Iterator[RenderableType]:
    yield from _what(name, diagnosis)
    yield from _why(diagnosis)
    yield from _rows(diagnosis)
    yield from _ways(diagnosis)
    yield from _advice(diagnosis)
    if diagnosis.unknowns:
        yield _title("Not known, or to be known")
        for unknown in diagnosis.unknowns:
            yield _point("?", unknown, "yellow")


def _title(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def _point(mark: str, text: str, style: str = "", indent: int = 2) -> Padding:
    grid = Grid.grid(padding=(0, 1))
    grid.add_row(Text(mark, style=style), Text(visible(text)))
    return Padding(grid, (0, 0, 0, indent), expand=False)


def _what(name: str, diagnosis: Diagnosis) -> Iterator[RenderableType]:
    evidence = diagnosis.evidence
    error, transaction = evidence.error, evidence.transaction
    headline = Text.assemble(
        ("✗ ", "bold red"), (visible(name), "bold"), f": {visible(diagnosis.stopped)} by error {error.errno}"
    )
    if error.event:
        headline.append(f" in {error.event}")
    if error.table:
        headline.append(f" on {visible(error.table, keep_newlines=False)}")
    if error.key:
        headline.append(f", key {visible(error.key, keep_newlines=False)}")
    yield headline
    yield Text(f"  {indented(error.message)}", style="dim")
    if transaction is not None:
        rows = len(transaction.changes)
        yield Text(
            f"  Transaction {transaction.id}, {rows} row{'s' if rows != 1 else ''}, committed "
            f"{transaction.committed_at:%Y-%m-%d %H:%M:%S} UTC, {visible(transaction.log_file)} "
            f"{transaction.start_pos}–{transaction.end_pos}"
        )


def _why(diagnosis: Diagnosis) -> Iterator[RenderableType]:
    yield _title("Why")
    if diagnosis.nature:
        yield _point("●", diagnosis.nature, "cyan")
    elif not diagnosis.causes:
        yield _point("?", "No cause that replfix knows fits what was found.", "yellow")
    for cause in diagnosis.causes:
        yield _point("●", f"{cause.code} ({cause.confidence.value} confidence): {cause.summary}", "cyan")
        for sentence in cause.evidence:
            yield _point("-", sentence, indent=4)
    if pointed := keep_apart(cause.code for cause in diagnosis.causes):
        yield _point("→", pointed)


def _rows(diagnosis: Diagnosis) -> Iterator[RenderableType]:
    found = diagnosis.evidence.reconciliation
    if found is None or not (found.conflicts or diagnosis.evidence.rows_compared):
        return
    conflicts = found.conflicts
    yield _title(f"What is in the way: {len(conflicts)} conflict{'' if len(conflicts) == 1 else 's'}")
    for number, conflict in enumerate(conflicts[:CONFLICTS_SHOWN], 1):
        yield from _conflict(number, conflict, diagnosis)
    if len(conflicts) > CONFLICTS_SHOWN:
        yield _point("…", f"and {len(conflicts) - CONFLICTS_SHOWN} more: --json lists all of them.")


def _conflict(number: int, conflict: Conflict, diagnosis: Diagnosis) -> Iterator[RenderableType]:
    evidence = diagnosis.evidence
    table = evidence.tables[conflict.table]
    source_row = evidence.source_rows[number - 1]
    columns = {key.name: ", ".join(key.columns) for key in table.unique_keys}
    keys = (
        "key " + " and ".join(f"{name} ({columns[name]})" for name in conflict.keys) if conflict.keys else "whole row"
    )
    yield Padding(
        Text(
            visible(
                f"{number}. {conflict.kind.value}: {conflict.table}, {keys}, "
                f"row {conflict.change + 1} of the transaction: {conflict.in_words}"
            )
        ),
        (1, 0, 0, 2),
        expand=False,
    )
    grid = Grid(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    grid.add_column("")
    grid.add_column("column")
    images: list[tuple[str, RowImage | NotRead | None]] = [
        ("expected", conflict.expected),
        ("incoming", conflict.incoming),
        ("replica", conflict.replica_row),
        ("source now", source_row),
    ]
    wanted = [(title, image) for title, image in images if image is not None or title not in ("expected", "incoming")]
    for title, _ in wanted:
        grid.add_column(title, overflow="fold")
    for column in table.columns:
        differs = column.name in conflict.differences
        cells = [Text(cell(image, column.ordinal), style="yellow" if differs else "") for _, image in wanted]
        grid.add_row(Text("≠" if differs else "", style="bold yellow"), Text(visible(column.name)), *cells)
    yield Padding(grid, (0, 0, 0, 5), expand=False)
    if why := why_not_read("source now", source_row):
        yield _point("?", why, "yellow", 5)


def _ways(diagnosis: Diagnosis) -> Iterator[RenderableType]:
    yield _title("What can be done")
    for proposal, reason in zip(diagnosis.proposals, reasons(diagnosis.proposals), strict=True):
        mark, style = ("✔", "green") if proposal.allowed else ("✘", "red")
        possible = "" if proposal.allowed else "not possible: "
        yield _point(mark, f"{proposal.strategy}: {possible}{reason}", style)
        if proposal.plan is None:
            continue
        if not proposal.plan.by_name_only:
            yield Padding(plan_text(proposal.plan), (0, 0, 0, 4), expand=False)
        else:  # nobody is led there: what it holds is shown to who asks for it
            what = "would be lost" if proposal.plan.left_out is not None else "it would do"
            yield _point(" ", f"resolve --strategy {proposal.strategy} --dry-run shows what {what}.", indent=4)


def _advice(diagnosis: Diagnosis) -> Iterator[RenderableType]:
    if not diagnosis.advice:
        return
    yield _title(TITLE)
    for mark, text, style, indent in remedy_lines(remedy_texts(diagnosis)):
        yield _point(mark, text, style, indent + 2)
    if (family := diagnosis.evidence.family) is not None:
        yield _point(" ", f"More: docs/errors/{family.page}.md", "")


def plan_text(plan: Plan) -> RenderableType:
    """The plan's steps, guards and risks."""
    parts: list[RenderableType] = [Text(f"Plan {plan.digest[:12]} for {plan.transaction}:")]
    for number, step in enumerate(plan.steps, 1):
        parts.append(_point(f"{number}.", step.sql))
    parts.extend(_point(f"{n}.", said) for n, said in enumerate(plan.ending, len(plan.steps) + 1))
    if plan.left_out is not None:
        parts.append(Text("Left out on this replica, for good:", style="bold red"))
        parts.extend(_point("✗", line, "red") for line in left_out_lines(plan))
    parts.append(Text("Only if:"))
    parts.extend(_point("·", guard.in_words) for guard in plan.guards)
    if plan.risks:
        parts.append(Text("Mind:"))
        parts.extend(_point("!", risk, "yellow") for risk in plan.risks)
    parts.append(Text("Undo:"))
    parts.append(_point("·", plan.undo_outlook))
    return Group(*parts)
