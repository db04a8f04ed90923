"""What to do about rows of the replica with NULL where a statement makes the column NOT NULL."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.incident.evidence import Evidence, Later, Nulls
from replfix.core.plan.plan_steps import alone
from replfix.core.remedies import drift
from replfix.core.remedies.by_hand import rows_by_hand
from replfix.core.remedies.remedy import LeadsTo, Remedy
from replfix.core.rows.lookup import by_identity
from replfix.core.rows.row_values import NotRead
from replfix.core.words import counted


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return the statements that give them the source's values; nothing where no such row was found."""
    nulls = evidence.nulls
    if nulls is None or not nulls.number:
        return ()
    name, columns = nulls.table.name, ", ".join(nulls.columns)
    held = f"{counted(nulls.number, 'row')} of the replica's {name} {'have' if nulls.number > 1 else 'has'} NULL in {columns}"
    later = next((b.later for b in evidence.definitions if (b.schema, b.table) == (name.schema, name.name)), None)
    why_not = _why_not(nulls, later)
    if why_not:
        return (
            Remedy(
                f"{held}, which the source's do not. This lists them. Give each the source's value, not logged, and start the channel. "
                f"No statements are printed for that: {why_not}.",
                (sql.rows_with_null(name, nulls.columns),),
                LeadsTo.NOTHING_CHANGED,
            ),
        )
    changed = [(row, now) for row, now in nulls.rows if now is not None and not isinstance(now, NotRead)]
    extra = [row for row, now in nulls.rows if now is None]
    text = f"{held}."
    statements: list[str] = []
    if changed:
        text += f" {_rows(nulls, len(changed))} the source's value of now, looked up by key; later transactions write what they change of it."
        statements += [sql.update_row(nulls.table, row, now) for row, now in changed]
    if extra:
        keys = "; ".join(str(by_identity(nulls.table, row)) for row in extra)
        text += (
            f" The source has no row {keys}, and nothing in the backlog touches the table: only the replica has "
            f"{'it' if len(extra) == 1 else 'them'}. All rows are copied to {drift.saved_as(name)} first; drop that when it is no longer needed."
        )
        statements.insert(0, sql.copy_table(name, drift.saved_as(name)))
        statements += [sql.delete_row(nulls.table, row) for row in extra]
    return (Remedy(text, rows_by_hand(evidence, *statements), LeadsTo.NEXT_TRANSACTION),)


def _rows(nulls: Nulls, number: int) -> str:
    if number == nulls.number:
        return "This gives it" if number == 1 else "This gives them"
    return f"This gives {number} of them"


def _why_not(nulls: Nulls, later: Later | None) -> str:
    if nulls.number > len(nulls.rows):
        return f"only the first {len(nulls.rows)} were looked up on the source"
    if (unknown := next((now for _, now in nulls.rows if isinstance(now, NotRead)), None)) is not None:
        return unknown.reason
    if later is None or later.by_statement:
        return "later transactions may change the table by statements, whose outcome depends on the value of then"
    extra = any(now is None for _, now in nulls.rows)
    if extra and later.rows:
        return "the source has no row of that key now, and later transactions change the table"
    if not alone(nulls.table, "UPDATE") or (extra and not alone(nulls.table, "DELETE")):
        return f"other tables reference {nulls.table.name}, or a trigger would fire"
    return ""
