"""An incident: what stopped, why as far as the evidence goes, the rows in conflict, and what can be done.

A new fact about a cause is a line here: every face shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from replfix.core.advisor.pointer import keep_apart
from replfix.core.conflicts.reconcile import Conflict, ConflictKind
from replfix.core.diagnosis.diagnosis import Confidence, Diagnosis, Proposal
from replfix.core.incident.evidence import Evidence
from replfix.core.plan.outcome import Outcome
from replfix.core.remedies.errant_transactions import Errant
from replfix.core.schema.table import Table
from replfix.core.strategies import STRATEGIES
from replfix.core.words import counted
from replfix.present.channel_state import called
from replfix.present.errant_text import errant_points
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
    Words,
    muted,
    name,
    points,
    section,
    strong,
    words,
)
from replfix.present.page.plan_page import effect_lines, plan_sections
from replfix.present.page.row_images import SOURCE_NOW, of_conflict
from replfix.present.remedy_text import remedy_blocks, remedy_texts
from replfix.present.row_values_text import why_not_read

CONFLICTS_SHOWN = 50
OPTIONS = "Options"

CONFIDENCE = {
    Confidence.HIGH: Symbol.CERTAIN,
    Confidence.MEDIUM: Symbol.LIKELY,
    Confidence.LOW: Symbol.POSSIBLE,
}
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
) -> Page:
    """Return the whole incident.

    ``outcome``: what was done about it; its plans are then shown in place of those that are possible.
    """
    rounds = outcome.rounds if outcome is not None else ()
    return Page(
        (
            Section((), (Message(diagnosis.evidence.error.message), facts(diagnosis))),
            *why(diagnosis),
            *open_questions(diagnosis),
            *conflict_sections(diagnosis),
            *(outcome_section(outcome) if outcome is not None else ()),
            *(part for each in rounds for part in plan_sections(each.plan, with_undo_sql=with_undo_sql)),
            *(() if rounds else option_sections(diagnosis, with_undo_sql=with_undo_sql)),
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
    if transaction is not None:
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


def why(diagnosis: Diagnosis) -> tuple[Section, ...]:
    """Return the section of the causes with their evidence; a sentence where none is known."""
    return section("Why", _why(diagnosis))


def _why(diagnosis: Diagnosis) -> Iterator[Block]:
    if diagnosis.nature:
        yield Point(Symbol.CERTAIN, words(diagnosis.nature))
    elif not diagnosis.causes:
        yield Point(Symbol.QUESTION, words("No cause that replfix knows fits what was found."))
    for cause in diagnosis.causes:
        said = words(strong(cause.code), f" ({cause.confidence.value} confidence): {cause.summary}")
        yield Point(CONFIDENCE[cause.confidence], said)
        yield from points(Symbol.FACT, cause.evidence, level=1)
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


def conflict_sections(diagnosis: Diagnosis) -> Iterator[Section]:
    """Yield each conflict with its rows side by side, or that no row conflicts any more; nothing where none was compared."""
    evidence = diagnosis.evidence
    heading = conflicts_heading(evidence)
    if evidence.reconciliation is None or not heading:
        return
    conflicts = evidence.reconciliation.conflicts
    yield Section(words(heading), () if conflicts else (NO_CONFLICT,))
    for number, conflict in enumerate(conflicts[:CONFLICTS_SHOWN], 1):
        table, source_row = evidence.tables[conflict.table], evidence.source_rows[number - 1]
        not_read = why_not_read(SOURCE_NOW, source_row)
        yield Section(
            conflict_words(number, conflict, table),
            (
                Sentence(words(conflict_meaning(conflict))),
                of_conflict(conflict, source_row, table),
                *points(Symbol.QUESTION, [not_read] if not_read else []),
            ),
            level=2,
        )
    if len(conflicts) > CONFLICTS_SHOWN:
        left = f"and {len(conflicts) - CONFLICTS_SHOWN:,} more: --json lists all of them."
        yield Section((), (Point(Symbol.MORE, words(left)),), level=2)


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
    word = "not possible" if not proposal.allowed else "recommended" if is_recommended else "possible"
    said = words(strong(proposal.strategy), f" ({word}): {reason}")
    yield Point(Symbol.OK if proposal.allowed else Symbol.NO, said)
    if summary:
        yield Sentence(words(summary), level=1)
    if proposal.plan is not None:
        yield from effect_lines(proposal.plan, level=1)


def consequences(proposal: Proposal) -> Iterator[Block]:
    """Yield what an option leads to, where its plan is not shown."""
    if proposal.plan is not None:
        yield Sentence(words(proposal.plan.undo_outlook), level=1)
    yield from points(Symbol.WARNING, proposal.risks, level=1)


def option_sections(diagnosis: Diagnosis, *, with_undo_sql: bool = False) -> Iterator[Section]:
    """Yield the options, then the plan of each that can be applied without being named."""
    blocks: list[Block] = []
    for proposal, said in zip(diagnosis.proposals, options(diagnosis), strict=True):
        blocks += said
        if proposal.plan is not None and proposal.plan.by_name_only:  # nobody is led there
            what = "would be lost" if proposal.plan.left_out is not None else "it would do"
            hint = f"resolve --strategy {proposal.strategy} --dry-run shows what {what}."
            blocks.append(Point(Symbol.NEXT, words(hint), level=1))
    yield from section(OPTIONS, blocks)
    plans = [proposal.plan for proposal in diagnosis.proposals if proposal.plan is not None]
    yield from (
        part for plan in plans if not plan.by_name_only for part in plan_sections(plan, with_undo_sql=with_undo_sql)
    )


def manual_steps(diagnosis: Diagnosis) -> tuple[Section, ...]:
    """Return what a human can do. Nothing where a strategy answers it."""
    blocks = tuple(remedy_blocks(remedy_texts(diagnosis)))
    family = diagnosis.evidence.family
    if blocks and family is not None:
        blocks += (Sentence(words(muted(f"More: docs/errors/{family.page}.md"))),)
    return section("Manual steps", blocks)


def errant_section(errant: Errant | None) -> tuple[Section, ...]:
    """Return the section of errant transactions, or none."""
    return section("Errant transactions", errant_points(errant)) if errant else ()
