"""From what was done to its record in the audit trail, and to its undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from replfix.core.plan.outcome import Outcome
from replfix.core.trail.audit_record import AuditRecord
from replfix.tui.screens.record import RecordScreen
from replfix.tui.screens.undo import UndoDialog

if TYPE_CHECKING:
    from replfix.tui.app import ReplfixApp


def audit_id(outcome: Outcome) -> str:
    """Return the id of the last intent that was carried out; empty where nothing was changed."""
    return next((each.audit_id for each in reversed(outcome.rounds) if each.applied and each.audit_id), "")


def show_record(app: ReplfixApp, of: str) -> None:
    """Show the record of that id."""
    _read(app, of, lambda record: app.push_screen(RecordScreen(record)))


def show_undo(app: ReplfixApp, of: str) -> None:
    """Ask whether the repair of that id is to be taken back."""
    _read(app, of, lambda record: app.push_screen(UndoDialog(record)))


def _read(app: ReplfixApp, of: str, then: Callable[[AuditRecord], object]) -> None:
    def work() -> None:
        app.call_from_thread(then, app.backend.record(of))

    app.run_worker(work, name=f"read {of}", group="record", thread=True, exclusive=True, exit_on_error=False)
