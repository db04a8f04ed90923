"""An audit record: who, when, and what its payload contains. A plan in it is shown as the plan's own page shows one.

The payload is JSON of any replfix that ever wrote one, or was altered: nothing is taken for granted of its shape.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from replfix.core.plan.guard import read_guard
from replfix.core.plan.plan import covered
from replfix.core.plan.recorded_plan import transactions_of
from replfix.core.trail.audit_record import AuditRecord
from replfix.core.trail.record_summary import RecordSummary, plan_in, steps_in, summarize
from replfix.core.words import counted
from replfix.errors import Refused
from replfix.present.page.page_model import (
    WARNINGS,
    Block,
    Facts,
    Message,
    Page,
    Point,
    Section,
    Statement,
    Steps,
    Symbol,
    Table,
    TableRow,
    Words,
    name,
    section,
    strong,
    words,
)
from replfix.present.page.plan_page import IN_ITS_PLACE, LEFT_OUT, PRECONDITIONS, SOURCE
from replfix.present.safe_text import visible

_SHOWN_APART = frozenset(
    (
        "version",
        "steps", "guards", "risks", "channel", "kept", "net_rows", "left_out", "on_source", "undo", "undoable",
        "undo_outlook", "run",
    )
)  # fmt: skip


TABLES_NAMED = 3


def when(record: AuditRecord) -> str:
    """Return when it was recorded, in UTC, to the second."""
    return visible(record.recorded_at[:19].replace("T", " "), keep_newlines=False)


def record_page(record: AuditRecord, limit: int | None = None) -> Page:
    """Return the whole record. Texts longer than ``limit`` characters are cut, and their length is shown."""
    try:
        content = record.content
    except ValueError as error:
        altered = Point(Symbol.ERROR, words(f"The payload cannot be read: {error}. It was altered."))
        return Page((Section((), (_facts(record),)), Section((), (altered, Message(cut(record.payload, limit))))))
    return Page((Section((), (_facts(record),)), *sections(content, limit)))


def _facts(record: AuditRecord) -> Facts:
    """Return when, who, from where, and whether the record still is what was written."""
    found = {
        "record": f"{record.id} (number {record.seq})",
        "kind": record.kind,
        "when": f"{when(record)} UTC",
        "by": f"{record.author}, replfix {record.version}",
        "replica": record.replica,
        "channel": record.channel or "(default)",
        "incident": record.incident,
        "hash": record.hash,
    }
    if not record.sound:
        found["altered"] = "the hash DOES NOT FIT: run 'replfix audit verify'"
    return Facts(tuple((title, words(text)) for title, text in found.items()))


def sections(content: Mapping[str, object], limit: int | None = None) -> Iterator[Section]:
    """Yield what is in the payload ``content``: values, or a plan with its rows."""
    plan = plan_in(content)
    if plan is None:
        yield from _values(content, limit)
        return
    steps = steps_in(plan)
    around = {} if plan is content else {n: v for n, v in content.items() if n not in ("plan", "causes", "undo")}
    run = {"transactions": together} if (together := _together(plan)) else {}
    yield from _values(around | run | {n: v for n, v in plan.items() if n not in _SHOWN_APART}, limit)
    yield from _causes(content.get("causes"), limit)
    yield from section("Plan", _plan_steps(plan, steps, limit))
    yield from _points("Stay, although the row that they reference goes", Symbol.ITEM, _kept(plan.get("kept")), limit)
    yield from _points(LEFT_OUT, Symbol.ERROR, _left_out(plan.get("left_out")), limit)
    where = "replica" if "strategy" in plan else "source"
    yield from _displaced(steps, where, limit)
    on_source = steps_in(plan.get("on_source"))
    yield from _displaced(on_source, "source", limit)
    yield from _points("Undo, as announced", Symbol.ITEM, [plan.get("undo_outlook")], limit)
    yield from section("Undo, in this order", _sql(_undo(content), limit))
    undo_there = [step.get("undo_sql") for step in reversed(on_source)]
    yield from section("Undo on the source, in this order", _sql(undo_there, limit))
    yield from _points(PRECONDITIONS, Symbol.ITEM, _guards(plan.get("guards")), limit)
    yield from _points(WARNINGS, Symbol.WARNING, _listed(plan.get("risks")), limit)


def _together(plan: Mapping[str, object]) -> str:
    """Return the transactions that the plan covers, where these are several; empty otherwise."""
    try:
        first, run = transactions_of(plan)
    except Refused:
        return cell(plan.get("run"))
    return "" if run is None else covered(first, run)


def _guards(recorded: object) -> list[str]:
    found = map(read_guard, _listed(recorded))
    return [guard.in_words for guard in found if guard is not None]


def undo_sql(content: Mapping[str, object]) -> str:
    """Return the statements that take the plan back, each ended with a semicolon; empty when there are none."""
    return "\n".join(f"{sql};" for sql in _undo(content) if isinstance(sql, str) and sql)


def _undo(content: Mapping[str, object]) -> list[object]:
    recorded = content.get("undo")  # the last step first, after what its session needs
    if isinstance(recorded, list):
        return recorded
    plan = content.get("plan", content)
    steps = plan.get("steps") if isinstance(plan, Mapping) else None
    return [s.get("undo_sql") for s in reversed(steps) if isinstance(s, Mapping)] if isinstance(steps, list) else []


def in_short(record: AuditRecord) -> str:
    """Return the payload in a few words, for a list."""
    try:
        content = record.content
    except ValueError:
        return "cannot be read: it was altered"
    plan = plan_in(content)
    if plan is not None:
        return _line(_plan_in_short(plan, summarize(record)))
    if isinstance(variables := content.get("variables"), Mapping):
        return _line(", ".join(f"{name}={value}" for name, value in variables.items()))
    if isinstance(result := content.get("result"), str):
        return _line(f"{result}: {content.get('detail') or ''}".rstrip(": "))
    return _line(", ".join(f"{name}: {_plain(value)}" for name, value in content.items()))


def _plan_in_short(plan: Mapping[str, object], of: RecordSummary) -> str:
    more = len(of.tables) - TABLES_NAMED
    tables = ", ".join(of.tables[:TABLES_NAMED]) + (f" and {more} more" if more > 0 else "")
    if of.strategy is None and not isinstance(plan.get("left_out"), Mapping):
        return f"on the source: {counted(of.on_source, 'row')}, {tables}"
    error = f", error {of.errno}" if of.errno is not None else ""
    head = f"{of.strategy or 'a strategy that is not on record'}{error}"
    if isinstance(left_out := plan.get("left_out"), Mapping):
        parts = [(len(left_out.get(f"{name}s") or ()), name) for name in ("row", "statement")]
        what = " and ".join(counted(number, name) for number, name in parts if number) or "a statement"
        return f"{head}: {what} left out"
    there = f", {of.on_source} on the source" if of.on_source else ""
    together = f", {counted(of.transactions, 'transaction')}" if of.transactions > 1 else ""
    return f"{head}{together}: {counted(of.displaced or 0, 'row')} deleted or changed{there}, {tables}"


def raw_json(record: AuditRecord) -> str:
    """Return the whole record as JSON, indented; the payload as the text that is stored when it is no JSON object."""
    payload: object
    try:
        payload = record.content
    except ValueError:
        payload = record.payload
    fields = ("seq", "recorded_at", "kind", "incident", "replica", "channel", "author", "version", "previous_hash")
    document: dict[str, object] = {"id": record.id, **{name: getattr(record, name) for name in fields}}
    document |= {"hash": record.hash, "sound": record.sound, "payload": payload}
    return json.dumps(document, ensure_ascii=False, indent=2)


def cut(text: str, limit: int | None) -> str:
    """Return ``text``, or its beginning with the length of the whole."""
    if limit is None or len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text):,} characters)"


def cell(value: object, limit: int | None = None) -> str:
    """Return a value in SQL notation: text in quotes, so that NULL and 'NULL' differ."""
    match value:
        case None:
            return "NULL"
        case {"not_logged": True}:
            return "(not logged)"
        case {"base64": str(encoded)}:
            return _binary(encoded, limit)
        case str():
            kept = value if limit is None else value[:limit]
            size = "" if kept == value else f"… ({len(value):,} characters)"
            return f"'{kept}'{size}"
        case bool() | dict() | list():
            return cut(json.dumps(value, ensure_ascii=False), limit)
        case _:
            return cut(str(value), limit)


def _binary(encoded: str, limit: int | None) -> str:
    try:
        return cut(f"0x{base64.b64decode(encoded, validate=True).hex().upper()}", limit)
    except ValueError:
        return f"base64 {cut(encoded, limit)}"


def _row(image: object) -> str:
    """Return a row on one line: its columns with their values."""
    if not isinstance(image, Mapping):
        return cell(image)
    return f"({', '.join(f'{name}={cell(value)}' for name, value in image.items())})"


def _line(text: str) -> str:
    return visible(cut(text, 300), keep_newlines=False)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _mappings(values: object) -> list[Mapping[str, object]]:
    return [each for each in values if isinstance(each, Mapping)] if isinstance(values, list) else []


def _listed(values: object) -> list[object]:
    return values if isinstance(values, list) else []


def _values(values: Mapping[str, object], limit: int | None) -> Iterator[Section]:
    pairs: list[tuple[str, Words]] = []
    for title, value in values.items():
        if isinstance(value, Mapping) and set(value) == {"errno", "message"}:
            text = f"{value['errno']} {_plain(value['message'])}"
        elif isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            text = "\n".join(value)
        elif isinstance(value, str):
            text = value
        else:
            text = json.dumps(value, ensure_ascii=False, indent=2 if isinstance(value, dict | list) and value else None)
        pairs.append((title, words(cut(text, limit))))
    yield from section("", [Facts(tuple(pairs))] if pairs else [])


def _causes(causes: object, limit: int | None) -> tuple[Section, ...]:
    blocks: list[Block] = []
    for cause in _listed(causes):
        if not isinstance(cause, Mapping):
            blocks.append(Point(Symbol.CERTAIN, words(cell(cause, limit))))
            continue
        code, confidence = _plain(cause.get("code")), _plain(cause.get("confidence"))
        blocks.append(Point(Symbol.CERTAIN, words(strong(code), f" ({confidence} confidence)")))
        blocks += _said(Symbol.FACT, _listed(cause.get("evidence")), limit, level=1)
    return section("Why", blocks)


def _points(heading: str, symbol: Symbol, sentences: Iterable[object], limit: int | None) -> tuple[Section, ...]:
    return section(heading, _said(symbol, sentences, limit))


def _said(symbol: Symbol, sentences: Iterable[object], limit: int | None, level: int = 0) -> list[Point]:
    return [Point(symbol, words(cut(_plain(each), limit)), level) for each in sentences if each is not None]


def _statements(sql: Iterable[object], limit: int | None, on: str = "") -> list[Statement]:
    return [Statement(cut(each, limit), on) for each in sql if isinstance(each, str) and each]


def _sql(sql: Iterable[object], limit: int | None) -> list[Block]:
    statements = _statements(sql, limit)
    return [Steps(tuple(statements))] if statements else []


def _plan_steps(plan: Mapping[str, object], steps: Sequence[Mapping[str, object]], limit: int | None) -> list[Block]:
    """Return the steps; of a plan that carries the transaction out in the applier's place, also what it made of each row."""
    statements = [
        *_statements((step.get("sql") for step in steps), limit),
        *_statements((row.get("sql") for row in _mappings(plan.get("net_rows"))), limit, IN_ITS_PLACE),
        *_statements((step.get("sql") for step in steps_in(plan.get("on_source"))), limit, SOURCE),
    ]
    return [Steps(tuple(statements))] if statements else []


def _kept(kept: object) -> list[str]:
    """Return the rows that stay although the row that they reference goes."""
    return [
        f"{row.get('schema')}.{row.get('table')}, by {row.get('foreign_key')}: {_row(row.get('row'))}"
        for row in _mappings(kept)
    ]


def _left_out(left_out: object) -> list[str]:
    """Return, of a plan that passes over its transaction, the statement, and each row with its images."""
    if not isinstance(left_out, Mapping):
        return []
    said = [
        f"{row.get('kind')} {row.get('schema')}.{row.get('table')}: {_images(row)}"
        for row in _mappings(left_out.get("rows"))
    ]
    statements = _mappings(left_out.get("statements"))
    for number, each in reversed(list(enumerate(statements))):  # from the last on: those before keep their places
        behind = each.get("behind_rows")
        settings = each.get("settings")
        script = "; ".join(str(text) for text in (*(settings if isinstance(settings, list) else ()), each.get("text")))
        said.insert(behind if isinstance(behind, int) else number, script)
    first = left_out.get("statement")  # of an older record all there is
    return [str(first), *said] if first and not statements else said


def _images(row: Mapping[str, object]) -> str:
    images = [image for image in (row.get("before"), row.get("after")) if image is not None]
    return " → ".join(map(_row, images))


def _displaced(steps: Sequence[Mapping[str, object]], where: str, limit: int | None) -> Iterator[Section]:
    """Yield the full image of every row that the steps delete or change on that server."""
    for step in steps:
        current, target = step.get("current"), step.get("target")
        if isinstance(current, Mapping):
            after = target if isinstance(target, Mapping) else None
            on = " on the source" if where == "source" else ""
            heading = f"{'Deleted' if after is None else 'Changed'} row of {step.get('schema')}.{step.get('table')}{on}"
            yield from section(heading, [_image_table(current, after, step.get("columns"), where, limit)])


def _image_table(
    current: Mapping[str, object], after: Mapping[str, object] | None, order: object, where: str, limit: int | None
) -> Table:
    """Return the images of a row.

    ``order``: newer records have the columns in their order; an object's keys have none of their own.
    """
    listed = [column for column in _listed(order) if column in current]
    rows: list[TableRow] = []
    for column in dict.fromkeys((*listed, *current)):
        value, new = current[str(column)], after.get(str(column)) if after is not None else None
        cells = (
            words(str(column)),
            words(name(cell(value, limit))),
            words(name(cell(new, limit)) if after is not None else "-"),
        )
        rows.append(TableRow(cells, after is not None and new != value))
    since = f"on the {where} since" + ("" if after is not None else ": no row")
    return Table(("column", "saved here", since), tuple(rows), marked=True)
