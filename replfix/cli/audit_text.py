"""Audit records as a list on the command line."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from replfix.core.trail.audit_record import ID_DIGITS, AuditRecord, RecordKind
from replfix.present.page.record_page import in_short, when
from replfix.present.safe_text import visible

WIDE = 120
"""The width from which on every value has a column of its own."""
NO_OUTCOME = "no outcome on record"


def list_table(records: Sequence[tuple[AuditRecord, str | None]], width: int) -> Table:
    """Return the records with what became of each intent, in the order given; ids are whole at every width."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("id", no_wrap=True, min_width=ID_DIGITS)
    table.add_column("when (UTC)", no_wrap=True)
    wide = width >= WIDE
    if wide:
        table.add_column("kind", no_wrap=True)
    for name in ("what", "outcome", "replica", "by") if wide else ("record",):
        table.add_column(name, overflow="fold")
    for record, result in records:
        ended = (result or NO_OUTCOME) if record.kind == RecordKind.INTENT.value else ""
        replica = f"{record.replica} {record.channel}".rstrip()
        texts: tuple[str, ...] = (record.kind, in_short(record), ended, replica, record.author)
        if not wide:
            of = f"{texts[0]}: {texts[1]}"
            texts = (f"{' → '.join(filter(None, (of, ended)))} ({replica}, by {record.author})",)
        table.add_row(record.id, when(record), *(Text(visible(text, keep_newlines=False)) for text in texts))
    return table
