"""An audit record for people. Row data is shown as what it is: no markup, no control characters, NULL apart from 'NULL'."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from replfix.core.audit_record import AuditRecord
from replfix.present.text import visible


def list_table(records: Sequence[AuditRecord]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("id", no_wrap=True)
    table.add_column("when (UTC)", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    for name in ("incident", "replica", "channel", "by"):
        table.add_column(name, overflow="fold")
    for record in records:
        texts = (record.kind, record.incident, record.replica, record.channel or "-", record.author)
        table.add_row(record.id, _when(record), *(Text(visible(text, keep_newlines=False)) for text in texts))
    return table


def print_record(console: Console, record: AuditRecord, content: Mapping[str, object]) -> None:
    """The whole record; ``content`` is its payload."""
    head = Table.grid(padding=(0, 2))
    facts = {
        "record": f"{record.id} (number {record.seq})",
        "kind": record.kind,
        "when": f"{_when(record)} UTC",
        "by": f"{record.author}, replfix {record.version}",
        "replica": record.replica,
        "channel": record.channel or "(default)",
        "incident": record.incident,
        "hash": record.hash,
    }
    if not record.sound:
        facts["altered"] = "the hash DOES NOT FIT: run 'replfix audit verify'"
    for name, text in facts.items():
        head.add_row(Text(name, style="bold"), Text(visible(text, keep_newlines=False), overflow="fold"))
    console.print(head)
    plan = content.get("plan", content)
    if not isinstance(plan, Mapping) or not isinstance(plan.get("steps"), list):
        _print_values(console, content)
        return
    steps = [step for step in plan["steps"] if isinstance(step, Mapping)]
    if plan is not content:
        _print_values(console, {name: value for name, value in content.items() if name != "plan"})
    _print_values(console, {name: value for name, value in plan.items() if name != "steps"})
    _print_sql(console, "Plan", [step.get("sql") for step in steps])
    _print_displaced(console, steps)
    _print_sql(console, "Undo, in this order", [step.get("undo_sql") for step in reversed(steps)])


def _when(record: AuditRecord) -> str:
    return visible(record.recorded_at[:19].replace("T", " "))


def _print_values(console: Console, values: Mapping[str, object]) -> None:
    if not values:
        return
    table = Table.grid(padding=(0, 2))
    for name, value in values.items():
        if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            text = "\n".join(value)
        elif isinstance(value, str):
            text = value
        else:
            text = json.dumps(value, ensure_ascii=False, indent=2 if isinstance(value, dict | list) and value else None)
        table.add_row(Text(visible(name, keep_newlines=False), style="bold"), Text(visible(text), overflow="fold"))
    console.print()
    console.print(table)


def _print_sql(console: Console, title: str, statements: Sequence[object]) -> None:
    sql = [statement for statement in statements if isinstance(statement, str) and statement]
    if not sql:
        return
    console.print()
    console.print(Text(title, style="bold"))
    for number, statement in enumerate(sql, start=1):
        # not wrapped, so that it can be copied
        console.print(Text(f"  {number}. {visible(statement)}"), soft_wrap=True)


def _print_displaced(console: Console, steps: Sequence[Mapping[str, object]]) -> None:
    for step in steps:
        current, target = step.get("current"), step.get("target")
        if not isinstance(current, Mapping):
            continue
        after = target if isinstance(target, Mapping) else None
        title = f"Displaced row of {step.get('schema')}.{step.get('table')}"
        table = Table(title=Text(visible(title, keep_newlines=False), style="bold"), title_justify="left")
        table.add_column("column", overflow="fold")
        table.add_column("kept here", overflow="fold")
        table.add_column(
            "on the replica since" if after is not None else "on the replica since: no row", overflow="fold"
        )
        table.add_column("")  # a sign, not only a colour
        for name, value in current.items():
            new = after.get(name) if after is not None else None
            differs = after is not None and new != value
            table.add_row(
                Text(visible(str(name), keep_newlines=False)),
                _cell(value),
                _cell(new) if after is not None else Text("-"),
                Text("≠" if differs else ""),
            )
        console.print()
        console.print(table)


def _cell(value: object) -> Text:
    """A value as it stands in JSON: text in quotes, so that NULL and 'NULL' are told apart."""
    match value:
        case None:
            return Text("NULL", style="italic")
        case {"not_logged": True}:
            return Text("(not logged)", style="italic")
        case {"base64": str(encoded)}:
            return Text(f"base64 {visible(encoded, keep_newlines=False)}")
        case _:
            return Text(visible(json.dumps(value, ensure_ascii=False), keep_newlines=False))
