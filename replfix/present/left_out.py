"""What a plan leaves out, line by line, the same in every face."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.plan import Plan
from replfix.core.row_event import RowChange
from replfix.core.values import RowImage
from replfix.present.shown import shown
from replfix.present.text import visible

LINES = 200


def left_out_lines(plan: Plan, most: int = LINES) -> Iterator[str]:
    """Nothing for a plan whose transaction is applied."""
    left_out = plan.left_out
    if left_out is None:
        return
    if left_out.statement:
        yield visible(left_out.statement)
    for change in left_out.changes[:most]:
        yield _line(change, left_out.columns[change.table])
    if len(left_out.changes) > most:
        yield f"… and {len(left_out.changes) - most:,} more: the intent in the audit trail has every one."


def _line(change: RowChange, columns: tuple[str, ...]) -> str:
    images = [_image(columns, image) for image in (change.before, change.after) if image is not None]
    return f"{change.kind.value} {visible(str(change.table), keep_newlines=False)}: {' → '.join(images)}"


def _image(columns: tuple[str, ...], image: RowImage) -> str:
    pairs = zip(columns, image, strict=True)
    return "(" + ", ".join(f"{visible(name, keep_newlines=False)}={shown(value)}" for name, value in pairs) + ")"
