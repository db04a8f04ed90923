"""An incident: what stopped, why as far as the evidence goes, the rows in conflict, and what can be done.

A new fact about a cause is a line here: every face shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from replfix.core.advisor.pointer import keep_apart
from replfix.core.conflicts.reconcile import Conflict, ConflictKind
from replfix.core.diagnosis.diagnosis import Diagnosis, Proposal
from replfix.core.incident.evidence import Evidence
from replfix.core.plan.outcome import Outcome
from replfix.core.plan.plan import Plan, covered
from replfix.core.remedies.errant_transactions import Errant
from replfix.core.replication.applier_error import ROW_ERRORS
from replfix.core.schema.table import Table, TableName
from replfix.core.strategies import STRATEGIES
from replfix.core.words import counted, help_on
from replfix.present.channel_state import called
from replfix.present.errant_text import errant_points
from replfix.present.page.detail import BRIEF, Detail, fits
from replfix.present.page.judgement_blocks import cause_blocks
from replfix.present.page.outcome_page import outcome_section
from replfix.present.page.page_model import (
    OPEN_QUESTIONS,
    Block,
    Facts,
    Message,
    Page,
    Point,
    Section,
    Sentence,
    Symbol,
    TableRow,
    Words,
    muted,
    name,
    points,
    section,
    strong,
    words,
)
from replfix.present.page.page_model import Table as TextTable
from replfix.present.page.plan_page import effect_lines, plan_sections, undo_in_short, whole_effect
from replfix.present.page.row_images import SOURCE_NOW, narrowed, of_conflict
from replfix.present.remedy_text import remedy_blocks, remedy_texts
from replfix.present.row_values_text import why_not_read

EXAMPLES = 3
"""Of more conflicts than are shown, one of each of so many kinds."""
COLUMNS_NAMED = 6
OPTIONS = "Options"

CONFLICT_SIGNS = {
    ConflictKind.DUPLICATE: "✗",
    ConflictKind.MISSING: "∅",
    ConflictKind.DIFFERENT: "≠",
    ConflictKind.EXTRA: "+",
}


def running_page(replica: str, channel: str | None, errant: Errant | None = None) -> Page:
    """Return the page for channels that are running; ``channel`` None: all of them."""
    what = "replication" if channel is None else called(channel)
    heading = words(strong(replica), f": {what} is running. There is nothing to resolve.")
    return Page(errant_section(errant), Symbol.OK, heading)


def incident_page(
    replica: str,
    diagnosis: Diagnosis,
    errant: Errant | None = None,
    outcome: Outcome | None = None,
    *,
    with_undo_sql: bool = False,
    detail: Detail = BRIEF,
) -> Page:
    """Return the incident, as much of it as ``detail`` has.

    ``outcome``: what was done about it; its plans are then shown in place of those that are possible.
    """
    plans = partial(plan_sections, with_undo_sql=with_undo_sql, detail=detail)
    rounds = outcome.rounds if outcome is not None else ()
    return Page(
        (
            Section((), (Message(diagnosis.evidence.error.message), facts(diagnosis))),
            *(in_short(diagnosis) if outcome is None else ()),
            *why(diagnosis),
            *open_questions(diagnosis),
            *conflict_sections(diagnosis, detail),
            *(outcome_section(outcome) if outcome is not None else ()),
            *(part for each in rounds for part in plans(each.plan)),
            *(() if rounds else option_sections(diagnosis, plans)),
            *manual_steps(diagnosis),
            *errant_section(errant),
        ),
        Symbol.ERROR,
        headline(replica, diagnosis),
    )


def headline(replica: str, diagnosis: Diagnosis) -> Words:
    """Return the sentence with the error number, its event, table and key."""
    error = diagnosis.evidence.error
    named = ((" in ", error.event), (" on ", error.table), (", key ", error.key))
    return words(
        strong(replica),
        f": {diagnosis.stopped} by error {error.errno}",
        *(part for before, what in named if what for part in (before, name(what))),
    )


def facts(diagnosis: Diagnosis) -> Facts:
    """Return the server's version, and the failing transaction where it was read."""
    evidence = diagnosis.evidence
    version, transaction = evidence.status.version, evidence.transaction
    product = "" if "MariaDB" in version else "MySQL "
    found = [("Server", words(product, name(version)))]
    if (failed := evidence.channel.failed_at) is not None:
        found.append(("Stopped", words(f"{failed:%Y-%m-%d %H:%M:%S} UTC, by the replica's clock")))
    if transaction is not None and transaction.run is not None:
        rows = counted(len(transaction.changes), "row")
        found.append(("Transactions", words(name(covered(transaction.id, transaction.run)), f", {rows}")))
    elif transaction is not None:
        found.append(
            (
                "Transaction",
                words(
                    name(transaction.id),
                    f", {counted(len(transaction.changes), 'row')}, committed {transaction.committed_at:%Y-%m-%d %H:%M:%S} UTC, ",
                    name(transaction.log_file),
                    f" {transaction.start_pos}–{transaction.end_pos}",
                ),
            )
        )
    return Facts(tuple(found))


def in_short(diagnosis: Diagnosis) -> tuple[Section, ...]:
    """Return in one sentence what the first option would do, to how much, and whether it can be undone."""
    return (Section((), (Point(Symbol.NEXT, next_words(diagnosis)),)),)


def next_words(diagnosis: Diagnosis) -> Words:
    """Return what to look at next: the recommended option with its effect, or why none is recommended."""
    best = diagnosis.recommended
    if best is not None and best.plan is not None:
        return words(strong(best.strategy), f" is recommended. {whole_effect(best.plan)} {undo_in_short(best.plan)}")
    first = next((proposal for proposal in diagnosis.proposals if proposal.allowed), None)
    if first is not None and first.plan is not None and not first.plan.by_name_only:
        return words(
            "No option is recommended: a row of another source conflicts. Decide first whose the key is. "
            f"{first.strategy}: {whole_effect(first.plan)} {undo_in_short(first.plan)}"
        )
    if diagnosis.advice:
        about_rows = diagnosis.evidence.error.errno in ROW_ERRORS
        why_not = "No strategy repairs this" if about_rows else "No change of rows helps here"
        return words(f"{why_not}: see the manual steps.")
    if first is not None:
        return words("Nothing repairs this: see the options.")
    return words("No strategy is possible here: see the reasons.")


def why(diagnosis: Diagnosis) -> tuple[Section, ...]:
    """Return the section of the causes with their evidence; a sentence where none is known."""
    return section("Why", _why(diagnosis))


def _why(diagnosis: Diagnosis) -> Iterator[Block]:
    if diagnosis.nature:
        yield Point(Symbol.CERTAIN, words(diagnosis.nature))
    elif not diagnosis.causes:
        yield Point(Symbol.QUESTION, words("No cause that replfix knows fits what was found."))
    for cause in diagnosis.causes:
        yield from cause_blocks(cause)
    if pointed := keep_apart(cause.code for cause in diagnosis.causes):
        yield Point(Symbol.NEXT, words(pointed))


def open_questions(diagnosis: Diagnosis) -> tuple[Section, ...]:
    """Return the section of what is unknown, or none."""
    return section(OPEN_QUESTIONS, points(Symbol.QUESTION, diagnosis.unknowns))


# --- conflicts ---


def conflicts_heading(evidence: Evidence) -> str:
    """Return how many conflicts there are; empty where rows were not compared, and nothing is known of them."""
    found = evidence.reconciliation
    if found is None or not (found.conflicts or evidence.rows_compared):
        return ""
    return f"Conflicts: {len(found.conflicts):,}" if found.conflicts else "Conflicts: none"


NO_CONFLICT = Point(Symbol.OK, words("No row is in the way any more."))


def conflict_sections(diagnosis: Diagnosis, detail: Detail) -> Iterator[Section]:
    """Yield each conflict with its rows side by side, or that no row conflicts any more; nothing where none was compared.

    Of more than ``detail`` has, how many there are of each table and kind, and examples.
    """
    evidence = diagnosis.evidence
    heading = conflicts_heading(evidence)
    if evidence.reconciliation is None or not heading:
        return
    conflicts = evidence.reconciliation.conflicts
    every = fits(len(conflicts), detail.conflicts)
    shown = range(len(conflicts)) if every else examples(conflicts, detail.examples)
    yield Section(words(heading), ((NO_CONFLICT,) if not conflicts else () if every else (by_table(conflicts),)))
    for number in shown:
        conflict = conflicts[number]
        table, source_row = evidence.tables[conflict.table], evidence.source_rows[number]
        not_read = why_not_read(SOURCE_NOW, source_row)
        rows, left_out = narrowed(of_conflict(conflict, source_row, table), detail.columns)
        yield Section(
            conflict_words(number + 1, conflict, table),
            (
                Sentence(words(conflict_meaning(conflict))),
                rows,
                *points(Symbol.MORE, [f"{left_out}: {detail.more}."] if left_out else []),
                *points(Symbol.QUESTION, [not_read] if not_read else []),
            ),
            level=2,
        )
    if len(shown) < len(conflicts):
        left = f"and {len(conflicts) - len(shown):,} more: {detail.more}."
        yield Section((), (Point(Symbol.MORE, words(left)),), level=2)


Likeness = tuple[TableName, ConflictKind, tuple[str, ...], str]


def _likeness(conflict: Conflict) -> Likeness:
    return conflict.table, conflict.kind, conflict.keys, conflict.foreign_key


def examples(conflicts: Sequence[Conflict], most: int) -> list[int]:
    """Return the places of the first ones, and of one of each table, kind and key as far as ``EXAMPLES``."""
    first: dict[Likeness, int] = {}
    for number, conflict in enumerate(conflicts):
        first.setdefault(_likeness(conflict), number)
    return sorted({*range(min(most, len(conflicts))), *sorted(first.values())[:EXAMPLES]})


def by_table(conflicts: Iterable[Conflict]) -> TextTable:
    """Return how many conflicts there are of each table, kind and key, and in which columns they differ."""
    groups: dict[Likeness, list[Conflict]] = {}
    for conflict in conflicts:
        groups.setdefault(_likeness(conflict), []).append(conflict)
    return TextTable(
        ("rows", "table", "conflict", "key", "columns that differ"),
        tuple(TableRow(tuple(_group(each))) for each in groups.values()),
    )


def _group(conflicts: Sequence[Conflict]) -> Iterator[Words]:
    one = conflicts[0]
    differing = list(dict.fromkeys(column for conflict in conflicts for column in conflict.differences))
    more = len(differing) - COLUMNS_NAMED
    yield words(f"{len(conflicts):,}")
    yield words(name(one.table))
    yield words(f"{CONFLICT_SIGNS[one.kind]} {one.kind.value}")
    yield words(name(one.foreign_key or ", ".join(one.keys) or "whole row"))
    yield words(
        name(", ".join(differing[:COLUMNS_NAMED])), f" and {more:,} more" if more > 0 else "" if differing else "none"
    )


def conflict_words(number: int, conflict: Conflict, table: Table) -> Words:
    """Return which rows meet, on one line."""
    columns = {key.name: ", ".join(key.columns) for key in table.unique_keys}
    keys = [
        part
        for at, key in enumerate(conflict.keys)
        for part in (" and " if at else "key ", name(key), f" ({columns.get(key, '')})")
    ]
    return words(
        strong(f"{number}. {CONFLICT_SIGNS[conflict.kind]} {conflict.kind.value}"),
        " ",
        name(conflict.table),
        ", ",
        *(keys or ["whole row"]),
        f", row {conflict.change + 1:,} of the transaction",
    )


def conflict_meaning(conflict: Conflict) -> str:
    """Return what the conflict is, as a sentence."""
    said = conflict.in_words
    equal = " It equals the incoming row." if conflict.identical else ""
    return f"{said[0].upper()}{said[1:]}.{equal}"


# --- what can be done ---


def reasons(proposals: Iterable[Proposal]) -> list[str]:
    """Return for each proposal its reason; where an earlier one has the same, that one's name."""
    first: dict[str, str] = {}
    found: list[str] = []
    for proposal in proposals:
        by = first.setdefault(proposal.reason, proposal.strategy)
        found.append(proposal.reason if by == proposal.strategy else f"see {by}.")
    return found


def options(diagnosis: Diagnosis) -> list[tuple[Block, ...]]:
    """Return the description of each strategy, in the order of the proposals; not its plan."""
    summaries = {strategy.NAME: strategy.SUMMARY for strategy in STRATEGIES}
    recommended = diagnosis.recommended
    return [
        tuple(_option(proposal, reason, summaries.get(proposal.strategy, ""), proposal is recommended))
        for proposal, reason in zip(diagnosis.proposals, reasons(diagnosis.proposals), strict=True)
    ]


def _option(proposal: Proposal, reason: str, summary: str, is_recommended: bool) -> Iterator[Block]:
    left_out = proposal.plan.left_out if proposal.plan is not None else None
    word = "possible"
    if not proposal.allowed:
        word = "not possible"
    elif left_out is not None:
        word = f"possible, {left_out.in_words} left out"
    elif is_recommended:
        word = "recommended"
    said = words(strong(proposal.strategy), f" ({word}): {reason}")
    yield Point(Symbol.WARNING if left_out is not None else Symbol.OK if proposal.allowed else Symbol.NO, said)
    if summary:
        yield Sentence(words(summary), level=1)
    if proposal.plan is not None:
        yield from effect_lines(proposal.plan, level=1)


def consequences(proposal: Proposal) -> Iterator[Block]:
    """Yield what an option leads to, where its plan is not shown."""
    if proposal.plan is not None:
        yield Sentence(words(proposal.plan.undo_outlook), level=1)
    yield from points(Symbol.WARNING, proposal.risks, level=1)


def option_sections(diagnosis: Diagnosis, sections: Callable[[Plan], Iterable[Section]]) -> Iterator[Section]:
    """Yield the options, then the plan of each that can be applied without being named."""
    blocks: list[Block] = []
    for proposal, said in zip(diagnosis.proposals, options(diagnosis), strict=True):
        blocks += said
        if proposal.plan is not None and proposal.plan.by_name_only:  # nobody is led there
            what = "would be lost" if proposal.plan.left_out is not None else "it would do"
            hint = f"'replfix resolve --strategy {proposal.strategy} --dry-run' shows what {what}."
            blocks.append(Point(Symbol.NEXT, words(hint), level=1))
    yield from section(OPTIONS, blocks)
    plans = [proposal.plan for proposal in diagnosis.proposals if proposal.plan is not None]
    yield from (part for plan in plans if not plan.by_name_only for part in sections(plan))


def manual_steps(diagnosis: Diagnosis) -> tuple[Section, ...]:
    """Return what a human can do. Nothing where a strategy answers it."""
    blocks = tuple(remedy_blocks(remedy_texts(diagnosis)))
    family = diagnosis.evidence.family
    if blocks and family is not None:
        blocks += (Sentence(words(muted(f"More: {help_on(f'errors/{family.page}')}"))),)
    return section("Manual steps", blocks)


def errant_section(errant: Errant | None) -> tuple[Section, ...]:
    """Return the section of errant transactions, or none."""
    if not errant:
        return ()
    more = "'replfix errant' compares their rows with the source's, and prints the options."
    return section("Errant transactions", (*errant_points(errant), Point(Symbol.NEXT, words(more))))
