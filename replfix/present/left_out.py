"""What a plan leaves out, line by line, the same in every face."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.binlog.row_event import RowChange
from replfix.core.plan.plan import Plan
from replfix.core.rows.row_values import RowImage
from replfix.present.row_values_text import shown
from replfix.present.safe_text import visible

LINES = 200


def left_out_lines(plan: Plan, most: int = LINES) -> Iterator[str]:
    """Yield the rows and statements that this replica never gets; nothing for a plan whose transaction is applied."""
    left_out = plan.left_out
    if left_out is None:
        return
    parts = list(left_out.in_order)
    for part in parts[:most]:
        if isinstance(part, RowChange):
            yield _line(part, left_out.columns[part.table])
        else:
            yield visible("; ".join(part.script))
    if len(parts) > most:
        yield f"… {and_more(len(parts) - most)}."


def and_more(number: int) -> str:
    """Return how many more there are and where all of them are, for a list of only the first few."""
    return f"and {number:,} more: the intent in the audit trail has every one"


def _line(change: RowChange, columns: tuple[str, ...]) -> str:
    images = [_image(columns, image) for image in (change.before, change.after) if image is not None]
    return f"{change.kind.value} {visible(str(change.table), keep_newlines=False)}: {' → '.join(images)}"


def _image(columns: tuple[str, ...], image: RowImage) -> str:
    pairs = zip(columns, image, strict=True)
    return "(" + ", ".join(f"{visible(name, keep_newlines=False)}={shown(value)}" for name, value in pairs) + ")"
