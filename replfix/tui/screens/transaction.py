"""The whole transaction: every row that it changes, those in conflict marked."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Header, Static

from replfix.core.conflicts.reconcile import Conflict
from replfix.core.incident.evidence import Evidence
from replfix.core.words import counted
from replfix.present.page.incident_page import CONFLICT_SIGNS
from replfix.present.page.row_images import of_change
from replfix.present.row_values_text import shown
from replfix.present.safe_text import visible
from replfix.tui.screen import ReplfixScreen
from replfix.tui.widgets.line_list import LineList
from replfix.tui.widgets.side_by_side import SideBySide

VALUES_SHOWN = 8  # of a row, on its line


class TransactionScreen(ReplfixScreen[None]):
    """``evidence`` with a transaction. Draws only the rows in view: a transaction may have 100,000 of them."""

    CSS_PATH = "transaction.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "conflict(1)", "Next conflict", id="transaction.next", tooltip="The next row in conflict"),
        Binding("N", "conflict(-1)", "Previous", id="transaction.previous", tooltip="The row in conflict before"),
        Binding("escape,t", "back", "Back", key_display="esc", id="transaction.back", tooltip="Back to the incident"),
    ]

    def __init__(self, evidence: Evidence) -> None:
        super().__init__()
        assert evidence.transaction is not None
        self._evidence = evidence
        self._transaction = evidence.transaction
        self._conflicts: dict[int, Conflict] = {}  # the first of each row
        for conflict in evidence.reconciliation.conflicts if evidence.reconciliation else ():
            self._conflicts.setdefault(conflict.change, conflict)
        self._at = sorted(self._conflicts)

    def compose(self) -> ComposeResult:
        yield Header()
        with Vertical(id="transaction"):
            yield Static(self._summary(), id="transaction-summary", markup=False)
            yield LineList(len(self._transaction.changes), self._line, id="transaction-rows")
            yield Static(id="transaction-row", markup=False)
            yield SideBySide(id="transaction-images")
        yield Footer()

    def _summary(self) -> Text:
        of = self._transaction
        return Text.assemble(
            (str(of.id), "bold"),
            f"  {counted(len(of.changes), 'row')}, {len(self._at):,} in conflict, committed "
            f"{of.committed_at:%Y-%m-%d %H:%M:%S} UTC, {visible(of.log_file)} {of.start_pos}–{of.end_pos}",
        )

    def on_mount(self) -> None:
        self.sub_title = "the whole transaction"
        rows = self.query_one("#transaction-rows", LineList)
        rows.focus()
        self._show(0)
        if self._at:
            self.call_after_refresh(setattr, rows, "cursor", self._at[0])

    def _line(self, n: int) -> Text:
        change = self._transaction.changes[n]
        conflict = self._conflicts.get(n)
        mark = f"{CONFLICT_SIGNS[conflict.kind]} {conflict.kind.value}" if conflict else ""
        image = change.after if change.after is not None else change.before
        names = self._transaction.column_names[change.table]
        values = [f"{name}={shown(value, 24)}" for name, value in zip(names, image or (), strict=False)][:VALUES_SHOWN]
        more = "…" if len(names) > VALUES_SHOWN else ""
        return Text.assemble(
            (f"{n + 1:>{len(str(len(self._transaction.changes)))}} ", "dim"),
            (f"{mark:<11} ", "bold yellow"),
            (f"{change.kind.value.upper():<6} ", ""),
            visible(f"{change.table}  ", keep_newlines=False),
            (visible(", ".join(values) + more, keep_newlines=False), "dim"),
        )

    def on_line_list_highlighted(self, event: LineList.Highlighted) -> None:
        event.stop()
        self._show(event.index)

    def on_line_list_selected(self, event: LineList.Selected) -> None:
        event.stop()
        self.query_one(SideBySide).focus()

    def _show(self, n: int) -> None:
        if not self._transaction.changes:
            return
        change = self._transaction.changes[n]
        text = Text(visible(f"Row {n + 1:,}: {change.kind.value} in {change.table}", keep_newlines=False), style="bold")
        self.query_one("#transaction-row", Static).update(text)
        self.query_one(SideBySide).show(of_change(change, self._evidence))

    # --- keys ---

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        return bool(self._at) if action == "conflict" else True

    def action_conflict(self, by: int) -> None:
        rows = self.query_one("#transaction-rows", LineList)
        ahead = [n for n in self._at if (n > rows.cursor if by > 0 else n < rows.cursor)]
        if ahead:
            rows.cursor = ahead[0] if by > 0 else ahead[-1]
        else:
            self.notify("No more conflicts in this direction.", timeout=2)

    def action_back(self) -> None:
        self.dismiss(None)
