"""Audit records as a list on the command line."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from replfix.core.trail.audit_record import AuditRecord
from replfix.present.page.record_page import when
from replfix.present.safe_text import visible


def list_table(records: Sequence[AuditRecord]) -> Table:
    """Return the records as a table, one line each, in the order given."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("id", no_wrap=True)
    table.add_column("when (UTC)", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    for name in ("incident", "replica", "channel", "by"):
        table.add_column(name, overflow="fold")
    for record in records:
        texts = (record.kind, record.incident, record.replica, record.channel or "-", record.author)
        table.add_row(record.id, when(record), *(Text(visible(text, keep_newlines=False)) for text in texts))
    return table
