"""One incident as Markdown, for the ticket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from replfix.core.conflicts.reconcile import Conflict
from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.plan.outcome import Outcome, Round
from replfix.core.plan.plan import Plan
from replfix.core.rows.row_values import NotRead, RowImage
from replfix.core.sql import UNDO_SETTINGS
from replfix.present.left_out import left_out_lines
from replfix.present.markdown import SENTENCE_WIDTH, code, cut, fenced, points, sentence, table
from replfix.present.reasons import reasons
from replfix.present.remedy_text import TITLE, remedy_texts
from replfix.present.row_values_text import cell, why_not_read, without
from replfix.present.safe_text import visible

VALUE_WIDTH = 120
STATEMENT_WIDTH = 4_000
CONFLICTS = 50
STATEMENTS = 200


def incident_report(name: str, diagnosis: Diagnosis, outcome: Outcome | None = None) -> str:
    """What happened on the replica ``name``, why, what can be done and what was done, as Markdown."""
    parts: list[Iterable[str]] = [_what(name, diagnosis), _why(diagnosis), _unknowns(diagnosis), _conflicts(diagnosis)]
    if outcome is not None:
        parts.append(_outcome(outcome))
    if outcome is not None and outcome.rounds:
        parts += [_plan(round_.plan) for round_ in outcome.rounds]
    else:
        parts.append(_ways(diagnosis))
        plans = [proposal.plan for proposal in diagnosis.proposals if proposal.plan is not None]
        parts += [_plan(plan) for plan in plans if not plan.by_name_only]  # nobody is led there
    parts.append(_advice(diagnosis))
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


def _what(name: str, diagnosis: Diagnosis) -> Iterator[str]:
    evidence = diagnosis.evidence
    error, transaction = evidence.error, evidence.transaction
    on = f" on {sentence(error.table)}" if error.table else ""
    yield from (f"# {sentence(name)}: replication stopped by error {error.errno}{on}", "")
    channel = code(evidence.channel.name) if evidence.channel.name else "the default channel"
    yield f"- Replica: {sentence(name)}, MySQL {code(evidence.status.version)}, {channel}"
    if error.event:
        yield f"- Event: {sentence(error.event)}"
    if error.key:
        yield f"- Key: {code(error.key)}"
    if transaction is not None:
        rows = len(transaction.changes)
        yield (
            f"- Transaction: {code(str(transaction.id))}, {rows} row{'' if rows == 1 else 's'}, committed "
            f"{transaction.committed_at:%Y-%m-%d %H:%M:%S} UTC, {code(transaction.log_file)} "
            f"{transaction.start_pos}–{transaction.end_pos}"
        )
    yield from ("", *fenced([cut(error.message, SENTENCE_WIDTH)], "text"), "")


def _why(diagnosis: Diagnosis) -> Iterator[str]:
    yield from ("## Why", "")
    if diagnosis.nature:
        yield sentence(diagnosis.nature)
    elif not diagnosis.causes:
        yield "No cause that replfix knows fits what was found."
    for cause in diagnosis.causes:
        yield f"- **{sentence(cause.code)}** ({cause.confidence.value} confidence): {sentence(cause.summary)}"
        yield from (f"  - {sentence(fact)}" for fact in cause.evidence)
    yield ""


def _unknowns(diagnosis: Diagnosis) -> Iterator[str]:
    if diagnosis.unknowns:
        yield from points("## Not known, or to be known", diagnosis.unknowns)


def _conflicts(diagnosis: Diagnosis) -> Iterator[str]:
    found = diagnosis.evidence.reconciliation
    conflicts = found.conflicts if found is not None else ()
    if not conflicts:
        return
    yield from (f"## What is in the way: {len(conflicts)} conflict{'' if len(conflicts) == 1 else 's'}", "")
    for number, conflict in enumerate(conflicts[:CONFLICTS], 1):
        yield from _conflict(number, conflict, diagnosis)
    if len(conflicts) > CONFLICTS:
        yield from (f"And {len(conflicts) - CONFLICTS} more.", "")


def _conflict(number: int, conflict: Conflict, diagnosis: Diagnosis) -> Iterator[str]:
    evidence = diagnosis.evidence
    columns = evidence.tables[conflict.table].columns
    keys, parts = (", ".join(code(each) for each in names) for names in (conflict.keys, conflict.key_columns))
    yield f"### {number}. {conflict.kind.value}: {code(str(conflict.table))}"
    yield ""
    key = f"Key {keys} ({parts})" if conflict.keys else "Whole row"
    yield f"{key}, row {conflict.change + 1} of the transaction: {sentence(conflict.in_words)}."
    yield ""
    images: list[tuple[str, RowImage | NotRead | None]] = [
        ("replica", conflict.replica_row),
        ("source now", evidence.source_rows[number - 1]),
    ]
    if conflict.incoming is not None:
        images.insert(0, ("incoming", conflict.incoming))
    if conflict.expected is not None:
        images.insert(0, ("expected", conflict.expected))
    yield from table(
        ["", "column", *(title for title, _ in images)],
        (
            [
                "≠" if column.name in conflict.differences else "",
                code(column.name),
                *(without(row) or code(cell(row, column.ordinal, VALUE_WIDTH)) for _, row in images),
            ]
            for column in columns
        ),
    )
    yield from ("", *filter(None, [sentence(why_not_read("source now", evidence.source_rows[number - 1]))]), "")


def _ways(diagnosis: Diagnosis) -> Iterator[str]:
    if not diagnosis.proposals:
        return
    yield from ("## What can be done", "")
    for proposal, reason in zip(diagnosis.proposals, reasons(diagnosis.proposals), strict=True):
        mark, possible = ("✔", "") if proposal.allowed else ("✘", "not possible: ")
        yield f"- {mark} **{sentence(proposal.strategy)}**: {possible}{sentence(reason)}"
    yield ""


def _advice(diagnosis: Diagnosis) -> Iterator[str]:
    if not diagnosis.advice:
        return
    yield from (f"## {TITLE}", "")
    for remedy in remedy_texts(diagnosis):
        yield f"- {sentence(remedy.text)}"
        if remedy.sql:
            yield from ("", f"  {sentence(remedy.where)}", "")
            statements = [cut(statement, STATEMENT_WIDTH) for statement in remedy.sql]
            yield from (f"  {line}" for text in fenced(statements, "sql") for line in text.split("\n"))
            yield from ("", *(f"  {sentence(words)}" for words in (remedy.loses, remedy.leads_to) if words), "")
    yield ""


def _plan(plan: Plan) -> Iterator[str]:
    yield from (f"## Plan {plan.digest[:12]}: {sentence(plan.strategy)} for {code(str(plan.transaction))}", "")
    yield from _statements([step.sql for step in plan.steps], "Nothing has to be changed on the replica first.")
    if plan.net_rows:
        yield from (f"Then {plan.transaction} itself, in the applier's place: row events that do the same as", "")
        yield from _statements([step.sql for step in plan.net_rows], "")
        yield from ("Then START REPLICA.", "")
    elif plan.left_out is None:
        yield from ("Then START REPLICA: the replica applies the transaction itself.", "")
    else:
        yield from points("Then:", plan.ending)
    if plan.on_source is not None:
        yield from ("Then, on the source:", "")
        yield from _statements([step.sql for step in plan.on_source.steps], "")
    if plan.left_out is not None:
        yield from (
            "Left out on this replica, for good:",
            "",
            *fenced(list(left_out_lines(plan, STATEMENTS)), "text"),
            "",
        )
    yield from points("Only if:", tuple(guard.in_words for guard in plan.guards))
    yield from points("Mind:", plan.risks)
    undo = [step.undo_sql for step in reversed(plan.steps) if step.undo_sql]
    yield from ("### Undo", "", sentence(plan.undo_outlook), "")
    if undo:
        yield from ("Before the transaction is applied, in this order:", "")
        yield from _statements([*UNDO_SETTINGS, *undo], "")


def _statements(statements: Sequence[str], none: str) -> Iterator[str]:
    if not statements:
        yield from (none, "")
        return
    yield from fenced([f"{cut(sql, STATEMENT_WIDTH)};" for sql in statements[:STATEMENTS]], "sql")
    yield ""
    if len(statements) > STATEMENTS:
        yield from (f"And {len(statements) - STATEMENTS} more.", "")
    if any(len(sql) > STATEMENT_WIDTH or visible(sql) != sql for sql in statements):
        yield from (
            "Not to be copied from here: a statement was cut, or has characters that do not print and are spelt out. The "
            "audit trail has it as it is.",
            "",
        )


def _outcome(outcome: Outcome) -> Iterator[str]:
    word = "rehearsed" if outcome.dry_run else outcome.result.value.replace("_", " ")
    yield from (f"## Outcome: {word}", "", sentence(outcome.message), "")
    if outcome.hint:
        yield from (f"Next: {sentence(outcome.hint)}", "")
    yield from (f"- {_round(each)}" for each in outcome.rounds)
    if outcome.rounds:
        yield ""
    if outcome.audit_ids:
        intents = {each.audit_id for each in outcome.rounds}
        ids = ", ".join(f"**{code(i)}**" if i in intents else code(i) for i in outcome.audit_ids)
        bold = "; in bold: plan, row images and undo" if any(intents) else ""
        yield from (f"On record: {ids}. `replfix audit show ID` prints one{bold}.", "")


def _round(round_: Round) -> str:
    states = (("rehearsed", round_.rehearsed), ("applied", round_.applied), ("verified", round_.verified))
    said = ", ".join(f"{word} {'✔' if done else '✘'}" for word, done in states)
    return f"{code(str(round_.plan.transaction))}, {sentence(round_.plan.strategy)}: {said}"
