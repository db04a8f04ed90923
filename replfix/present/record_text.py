"""An audit record as sections to show, the same in every face.

Row data is shown as what it is: no markup, no control characters, NULL apart from 'NULL'.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from replfix.core.plan.guard import read_guard
from replfix.core.trail.audit_record import AuditRecord
from replfix.core.words import counted
from replfix.present.safe_text import indented, visible


@dataclass(frozen=True, slots=True)
class Section:
    """``verbatim``: statements that are copied from the screen, so a terminal should not break their lines."""

    title: str
    body: RenderableType
    verbatim: bool = False


def when(record: AuditRecord) -> str:
    """UTC, to the second."""
    return visible(record.recorded_at[:19].replace("T", " "), keep_newlines=False)


def facts(record: AuditRecord) -> Table:
    """When, who, from where, and whether the record still is what was written."""
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
    grid = Table.grid(padding=(0, 2))
    for name, text in found.items():
        grid.add_row(Text(name, style="bold"), Text(visible(text, keep_newlines=False), overflow="fold"))
    return grid


def sections(content: Mapping[str, object], limit: int | None = None) -> Iterator[Section]:
    """What the payload ``content`` says. Texts longer than ``limit`` characters are cut with their length said."""
    plan = content.get("plan", content)
    if not isinstance(plan, Mapping) or not isinstance(plan.get("steps"), list):
        yield from _values(content, limit)
        return
    steps = [step for step in plan["steps"] if isinstance(step, Mapping)]
    around = {} if plan is content else {n: v for n, v in content.items() if n not in ("plan", "causes", "undo")}
    more = {
        name: value
        for name, value in plan.items()
        if name
        not in (
            "version",
            "steps",
            "guards",
            "risks",
            "channel",
            "kept",
            "net_rows",
            "left_out",
            "on_source",
            "undo",
            "undoable",
            "undo_outlook",
        )
    }
    yield from _values(around | more, limit)
    yield from _causes(content.get("causes"), limit)
    yield from _sql("Plan", [step.get("sql") for step in steps], limit)
    yield from _kept(plan.get("kept"), limit)
    yield from _net_rows(plan.get("net_rows"), limit)
    yield from _left_out(plan.get("left_out"), limit)
    yield from _on_source(plan.get("on_source"), limit)
    where = "replica" if "strategy" in plan else "source"
    yield from (_displaced(step, limit, where) for step in steps if isinstance(step.get("current"), Mapping))
    yield from _points("Said of undo before", [outlook] if (outlook := plan.get("undo_outlook")) else [], "·", limit)
    yield from _sql("Undo, in this order", _undo(content), limit)
    yield from _points("Only if", _guards(plan.get("guards")), "·", limit)
    yield from _points("Mind", plan.get("risks"), "!", limit)


def _guards(recorded: object) -> list[str]:
    found = map(read_guard, recorded) if isinstance(recorded, list) else ()
    return [guard.in_words for guard in found if guard is not None]


def undo_sql(content: Mapping[str, object]) -> str:
    """The statements that take the plan back, each ended with a semicolon; empty when there are none."""
    return "\n".join(f"{sql};" for sql in _undo(content) if isinstance(sql, str) and sql)


def _undo(content: Mapping[str, object]) -> list[object]:
    recorded = content.get("undo")  # the last step first, behind what its session needs
    if isinstance(recorded, list):
        return recorded
    plan = content.get("plan", content)
    steps = plan.get("steps") if isinstance(plan, Mapping) else None
    return [s.get("undo_sql") for s in reversed(steps) if isinstance(s, Mapping)] if isinstance(steps, list) else []


def in_short(record: AuditRecord) -> str:
    """The payload in a few words, for a list."""
    try:
        content = record.content
    except ValueError:
        return "cannot be read: it was altered"
    plan = content.get("plan", content)
    if isinstance(plan, Mapping) and isinstance(plan.get("steps"), list):
        steps = [step for step in plan["steps"] if isinstance(step, Mapping)]
        there = _steps_on_source(plan)
        tables = list(dict.fromkeys(f"{step.get('schema')}.{step.get('table')}" for step in (*steps, *there)))
        if isinstance(left_out := plan.get("left_out"), Mapping):
            parts = [(len(left_out.get(f"{name}s") or ()), name) for name in ("row", "statement")]
            what = " and ".join(counted(number, name) for number, name in parts if number) or "a statement"
            return _line(f"{plan.get('strategy')}, error {plan.get('errno')}: {what} left out")
        if "strategy" not in plan:
            return _line(f"on the source: {len(steps)} row{'' if len(steps) == 1 else 's'}, {', '.join(tables[:3])}")
        displaced = sum(isinstance(step.get("current"), Mapping) for step in steps)
        rows = f"{displaced} row{'' if displaced == 1 else 's'} displaced"
        if there:
            rows += f", {len(there)} on the source"
        text = f"{plan.get('strategy')}, error {plan.get('errno')}: {rows}, {', '.join(tables[:3])}"
        return _line(text + (f" and {len(tables) - 3} more" if len(tables) > 3 else ""))
    if isinstance(variables := content.get("variables"), Mapping):
        return _line(", ".join(f"{name}={value}" for name, value in variables.items()))
    if isinstance(result := content.get("result"), str):
        return _line(f"{result}: {content.get('detail') or ''}".rstrip(": "))
    return _line(", ".join(f"{name}: {_plain(value)}" for name, value in content.items()))


def _steps_on_source(plan: Mapping[str, object]) -> list[Mapping[str, object]]:
    part = plan.get("on_source")
    steps = part.get("steps") if isinstance(part, Mapping) else None
    return [step for step in steps if isinstance(step, Mapping)] if isinstance(steps, list) else []


def raw_json(record: AuditRecord) -> str:
    """The whole record as JSON, indented; the payload as the text that is stored when it is no JSON object."""
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
    """``text``, or its beginning with the length of the whole said."""
    if limit is None or len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text):,} characters)"


def cell(value: object, limit: int | None = None) -> Text:
    """A value as it stands in JSON: text in quotes, so that NULL and 'NULL' are told apart."""
    match value:
        case None:
            return Text("NULL", style="italic")
        case {"not_logged": True}:
            return Text("(not logged)", style="italic")
        case {"base64": str(encoded)}:
            return Text(f"base64 {visible(cut(encoded, limit), keep_newlines=False)}")
        case str() if limit is not None and len(value) > limit:
            quoted = json.dumps(value[:limit], ensure_ascii=False)[:-1]
            return Text(f'{visible(quoted, keep_newlines=False)}"… ({len(value):,} characters)')
        case _:
            return Text(visible(cut(json.dumps(value, ensure_ascii=False), limit), keep_newlines=False))


def _line(text: str) -> str:
    return visible(cut(text, 300), keep_newlines=False)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _values(values: Mapping[str, object], limit: int | None) -> Iterator[Section]:
    if not values:
        return
    grid = Table.grid(padding=(0, 2))
    for name, value in values.items():
        if isinstance(value, Mapping) and set(value) == {"errno", "message"}:
            text = f"{value['errno']} {_plain(value['message'])}"
        elif isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            text = "\n".join(value)
        elif isinstance(value, str):
            text = value
        else:
            text = json.dumps(value, ensure_ascii=False, indent=2 if isinstance(value, dict | list) and value else None)
        named = Text(visible(name, keep_newlines=False), style="bold")
        grid.add_row(named, Text(visible(cut(text, limit)), overflow="fold"))
    yield Section("", grid)


def _causes(causes: object, limit: int | None) -> Iterator[Section]:
    if not isinstance(causes, list) or not causes:
        return
    lines: list[RenderableType] = []
    for cause in causes:
        if not isinstance(cause, Mapping):
            lines.append(cell(cause, limit))
            continue
        code, confidence = _plain(cause.get("code")), _plain(cause.get("confidence"))
        lines.append(Text(visible(f"● {code} ({confidence} confidence)", keep_newlines=False)))
        evidence = cause.get("evidence")
        lines += [_point("  -", sentence, limit) for sentence in evidence] if isinstance(evidence, list) else []
    yield Section("Why", Group(*lines))


def _points(title: str, sentences: object, mark: str, limit: int | None) -> Iterator[Section]:
    if isinstance(sentences, list) and sentences:
        yield Section(title, Group(*(_point(f"  {mark}", sentence, limit) for sentence in sentences)))


def _point(mark: str, sentence: object, limit: int | None) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_row(Text(mark), Text(visible(cut(_plain(sentence), limit)), overflow="fold"))
    return grid


def _sql(title: str, statements: Sequence[object], limit: int | None) -> Iterator[Section]:
    sql = [statement for statement in statements if isinstance(statement, str) and statement]
    if sql:
        numbered = (f"  {number}. {indented(cut(each, limit))}" for number, each in enumerate(sql, start=1))
        yield Section(title, Text("\n".join(numbered)), verbatim=True)


def _kept(kept: object, limit: int | None) -> Iterator[Section]:
    """The rows that stay although the row that they reference goes."""
    rows = [row for row in kept if isinstance(row, Mapping)] if isinstance(kept, list) else []
    said = [
        f"{row.get('schema')}.{row.get('table')}, by {row.get('foreign_key')}: "
        f"{json.dumps(row.get('row'), ensure_ascii=False)}"
        for row in rows
    ]
    yield from _points("Stay, although the row that they reference goes", said, "·", limit)


def _net_rows(rows: object, limit: int | None) -> Iterator[Section]:
    """What the transaction itself made of its rows, where that was carried out in the applier's place."""
    if isinstance(rows, list):
        steps = [row.get("sql") for row in rows if isinstance(row, Mapping)]
        yield from _sql("The transaction, in the applier's place", steps, limit)


def _left_out(left_out: object, limit: int | None) -> Iterator[Section]:
    """Of a plan that passes over its transaction: the statement, each row with its images."""
    if not isinstance(left_out, Mapping):
        return
    rows = [row for row in left_out.get("rows") or [] if isinstance(row, Mapping)]
    said = [f"{row.get('kind')} {row.get('schema')}.{row.get('table')}: {_images(row)}" for row in rows]
    statements = [each for each in left_out.get("statements") or [] if isinstance(each, Mapping)]
    for number, each in reversed(list(enumerate(statements))):  # from the last on: those before keep their places
        behind = each.get("behind_rows")
        script = "; ".join(str(text) for text in (*(each.get("settings") or ()), each.get("text")))
        said.insert(behind if isinstance(behind, int) else number, script)
    first = left_out.get("statement")  # of an older record all there is
    yield from _points(
        "Left out on this replica, for good", [str(first), *said] if first and not statements else said, "✗", limit
    )


def _images(row: Mapping[str, object]) -> str:
    images = [image for image in (row.get("before"), row.get("after")) if image is not None]
    return " → ".join(json.dumps(image, ensure_ascii=False) for image in images)


def _on_source(part: object, limit: int | None) -> Iterator[Section]:
    """What a plan writes there, and what takes it back."""
    steps = _steps_on_source({"on_source": part})
    if not steps:
        return
    yield from _sql("On the source", [step.get("sql") for step in steps], limit)
    yield from (_displaced(step, limit, "source") for step in steps if isinstance(step.get("current"), Mapping))
    yield from _sql("Undo on the source, in this order", [step.get("undo_sql") for step in reversed(steps)], limit)


def _displaced(step: Mapping[str, object], limit: int | None, where: str) -> Section:
    current, target = step.get("current"), step.get("target")
    assert isinstance(current, Mapping)
    after = target if isinstance(target, Mapping) else None
    table = Table()
    table.add_column("column", overflow="fold")
    table.add_column("kept here", overflow="fold")
    table.add_column(f"on the {where} since" if after is not None else f"on the {where} since: no row", overflow="fold")
    table.add_column("")  # a sign, not only a colour
    order = step.get("columns")  # newer records have it; an object's keys have none of their own
    names = [n for n in order if n in current] if isinstance(order, list) else []
    for name in dict.fromkeys((*names, *current)):
        value, new = current[name], after.get(name) if after is not None else None
        differs = after is not None and new != value
        table.add_row(
            Text(visible(str(name), keep_newlines=False)),
            cell(value, limit),
            cell(new, limit) if after is not None else Text("-"),
            Text("≠" if differs else ""),
        )
    title = f"Displaced row of {step.get('schema')}.{step.get('table')}" + (
        " on the source" if where == "source" else ""
    )
    return Section(visible(title, keep_newlines=False), table)
