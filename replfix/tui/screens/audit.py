"""The newest records of the audit trail: browse, search, open one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

from rich.cells import cell_len
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import DataTable, Footer, Header, Input, Static
from textual.worker import get_current_worker

from replfix.core.trail.audit_record import AuditRecord
from replfix.errors import ReplfixError
from replfix.present.page.record_page import in_short, when
from replfix.present.safe_text import visible
from replfix.tui.screen import ReplfixScreen
from replfix.tui.screens.record import RecordScreen
from replfix.tui.widgets.filter_box import FilterBox

LIMIT = 500
SEARCH_SECONDS = 0.1  # after the last key, so that typing is never delayed
COLUMNS = ("id", "when (UTC)", "kind", "replica", "what", "by", "channel")
KINDS = {  # symbol and word; settings are dim, for they come in pairs around every change
    "intent": ("▸ intent", "bold"),
    "outcome": ("● outcome", ""),
    "refused": ("✗ refused", ""),
    "settings": ("~ settings", "dim"),
    "settings-restored": ("~ restored", "dim"),
}


@dataclass(frozen=True, slots=True)
class RecordLine:
    """A record as the list shows it and the search sees it."""

    record: AuditRecord
    cells: tuple[str, ...]
    searched: str  # everything that a search looks at, in one case

    @classmethod
    def of(cls, record: AuditRecord) -> RecordLine:
        """Return the line of a record, safe to show; its kind is marked where the record was altered."""
        cells = (
            record.id,
            when(record),
            KINDS.get(record.kind, (f"? {record.kind}", ""))[0] if record.sound else f"✗ ALTERED {record.kind}",
            record.replica,
            in_short(record),
            record.author,
            record.channel or "(default)",
        )
        whole = "\n".join((*cells, record.kind, record.incident, record.payload))
        return cls(record, tuple(visible(c, keep_newlines=False) for c in cells), whole.casefold())


class Loaded(Message):
    """The records that were read, the newest first; or the error, without any."""

    def __init__(self, sequence: int, lines: tuple[RecordLine, ...], error: ReplfixError | None = None) -> None:
        super().__init__()
        self.sequence = sequence
        self.lines = lines
        self.error = error


class AuditScreen(ReplfixScreen[None]):
    """The newest records. The trail is read in a thread; a search looks only at what was read."""

    HELP_TEXT: ClassVar[str] = (
        "Everything that replfix wrote down, the newest record first: an intent is written before anything is changed, "
        "with the plan, the full image of every row that it takes out or changes, and the SQL that takes it back; an "
        "outcome says what was checked afterwards. The search looks at the whole record, row values too. The 500 newest "
        "records are shown; 'replfix audit list' and 'replfix audit export' reach all of them."
    )
    CSS_PATH = "audit.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        # The table has a binding for enter of its own, without a place in the footer: o is there for that.
        Binding(
            "enter,o",
            "open",
            "Open",
            key_display="enter",
            id="audit.open",
            tooltip="Show the record: plan, row images, undo, causes",
        ),
        Binding(
            "slash", "search", "Search", key_display="/", id="audit.search", tooltip="Any text of a line or a payload"
        ),
        Binding(
            "y", "copy", "Copy id", id="audit.copy", tooltip="Copy the record's id, as 'replfix audit show' takes it"
        ),
        Binding("r", "reload", "Reload", id="audit.reload", tooltip="Read the trail again"),
        Binding("escape", "back", "Back", id="audit.back", tooltip="End the search, then leave"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._lines: tuple[RecordLine, ...] = ()
        self._shown: list[RecordLine] = []
        self._wanted = ""
        self._sequence = 0
        self._said = "reading the trail…"
        self._searching: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Header()
        with Vertical():
            yield Static(id="audit-summary", markup=False)
            yield FilterBox(
                "search: any text of a record, row values too", lambda: self._table, self._search, id="audit-search"
            )
            yield DataTable(id="audit-records", cursor_type="row", zebra_stripes=True)
        yield Footer()

    def on_mount(self) -> None:
        self.title = "Audit"
        for name in COLUMNS:
            self._table.add_column(name, key=name)
        self._table.focus()
        self.action_reload()

    @property
    def _table(self) -> DataTable[Text]:
        return cast("DataTable[Text]", self.query_one("#audit-records", DataTable))

    @property
    def _box(self) -> FilterBox:
        return self.query_one(FilterBox)

    # --- reading ---

    def action_reload(self) -> None:
        self._sequence += 1
        self._summarise()
        self._load(self._sequence)

    @work(thread=True, group="audit", exclusive=True, exit_on_error=False)
    def _load(self, sequence: int) -> None:
        worker = get_current_worker()
        try:
            loaded = Loaded(sequence, tuple(RecordLine.of(record) for record in self.replfix.backend.records(LIMIT)))
        except ReplfixError as error:
            loaded = Loaded(sequence, (), error)
        if not worker.is_cancelled:
            self.post_message(loaded)

    def on_loaded(self, message: Loaded) -> None:
        if message.sequence != self._sequence:
            return
        if message.error is not None:
            self._said = f"✗ {message.error.message} {message.error.hint}".strip()
            self.replfix.say_error(message.error)
        else:
            self._lines = message.lines
            self._said = ""
            self._set_widths()
        self._rebuild()

    # --- showing ---

    def _set_widths(self) -> None:
        """Set the widths once for all records: columns that measure every cell of every search would make the keys wait."""
        for at, (name, column) in enumerate(zip(COLUMNS, self._table.ordered_columns, strict=True)):
            column.auto_width = False
            column.width = max(cell_len(name), *(cell_len(line.cells[at]) for line in self._lines), 1)
        self._table.refresh(layout=True)

    def _rebuild(self) -> None:
        table = self._table
        at = self.selected
        shown = [line for line in self._lines if self._wanted in line.searched]
        if shown == self._shown:
            self._summarise()
            return
        self._shown = shown
        table.clear()
        for line in self._shown:
            style = KINDS.get(line.record.kind, ("", ""))[1]
            table.add_row(*(Text(c, style, no_wrap=True) for c in line.cells), key=str(line.record.seq))
        if at is not None and at in self._shown:
            table.move_cursor(row=self._shown.index(at), animate=False)
        self._summarise()

    def _summarise(self) -> None:
        text = self._said
        if not text and not self._lines:
            text = "No records yet: nothing was rehearsed, changed or refused."
        elif not text:
            count = len(self._lines)
            newest = "the newest " if count == LIMIT else ""
            text = f"{newest}{count} record{'' if count == 1 else 's'}"
            if self._wanted:
                text = f"{len(self._shown)} of {text} have {self._wanted!r}"
        self.query_one("#audit-summary", Static).update(Text(f" {visible(text, keep_newlines=False)}"))

    # --- keys ---

    @property
    def selected(self) -> RecordLine | None:
        """The record under the cursor; None where none is shown."""
        at = self._table.cursor_row
        return self._shown[at] if 0 <= at < len(self._shown) else None

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        if self.selected is not None:
            records = [line.record for line in self._shown]
            self.app.push_screen(RecordScreen(self.selected.record, records))

    def action_copy(self) -> None:
        if self.selected is not None:
            self.app.copy_to_clipboard(self.selected.record.id)
            self.notify(f"Copied {self.selected.record.id}", markup=False)

    def action_search(self) -> None:
        self._box.open()

    def action_back(self) -> None:
        if self._box.display:
            self._box.close()
        else:
            self.dismiss()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._searching is not None:
            self._searching.stop()
        self._searching = self.set_timer(SEARCH_SECONDS, self._search)

    def _search(self) -> None:
        self._wanted = self._box.value.casefold()
        self._rebuild()
