"""A plan as it will be carried out: steps, of the highlighted one the exact SQL, the rows and the undo, and the risks."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widgets import Static

from replfix.core.plan.plan import ON_SOURCE, Plan, Step
from replfix.core.schema.table import Table, TableName
from replfix.core.words import counted
from replfix.present.channel_state import called
from replfix.present.left_out import left_out_lines
from replfix.present.page.page_model import Point, Section, Sentence, Symbol, muted, plain, section, words
from replfix.present.page.plan_page import (
    LEFT_OUT,
    effect,
    is_on_source,
    items,
    plan_words,
    preconditions,
    row_words,
    statement,
    warnings,
)
from replfix.present.page.rich_page import statement_text, styled
from replfix.present.page.row_images import of_step
from replfix.present.safe_text import visible
from replfix.tui.widgets.line_list import LineList
from replfix.tui.widgets.long_text import LongText, Wrapped
from replfix.tui.widgets.points import section_widget, title
from replfix.tui.widgets.side_by_side import SideBySide

LINE = 300  # characters of SQL on a step's line


UNDO_OUTLOOK = "Can it be undone?"


def _first(sentences: str) -> str:
    return sentences.partition(". ")[0].removesuffix(".") + "." if sentences else ""


def _copied(item: Step | str) -> str:
    """Return it as a statement, without the words after it."""
    if isinstance(item, Step):
        return f"{item.sql};"
    return f"{item.removeprefix(ON_SOURCE) if item.startswith(ON_SOURCE) else item.partition(': ')[0]};"


class PlanView(Container):
    """A plan with a cursor on its steps. ``tables``: by name, for types and keys of the rows."""

    def __init__(self, plan: Plan, digest: str, tables: Mapping[TableName, Table]) -> None:
        super().__init__()
        self._plan = plan
        self._digest = digest
        self._tables = tables
        self._items = items(plan)

    def compose(self) -> ComposeResult:
        plan = self._plan
        with Vertical(id="plan-left"):
            yield Static(self._heading(), markup=False)
            yield Static(title(counted(len(self._items), "step")), classes="part", markup=False)
            yield LineList(len(self._items), self._line, id="step-list")
            yield Static(title("Exact SQL"), id="sql-title", classes="part", markup=False)
            yield LongText(Wrapped(""), id="step-sql")
            yield Static(title("Row"), id="rows-title", classes="part", markup=False)
            yield SideBySide(id="step-rows")
            yield Static(title("Undo"), id="undo-title", classes="part", markup=False)
            yield LongText(Wrapped(""), id="step-undo")
        with Vertical(id="plan-right"):
            if plan.risks:
                yield section_widget(warnings(plan), id="plan-warnings", classes="part")
            digest = Section((), (Point(Symbol.ITEM, words(f"the plan is the one with digest {self._digest}")),))
            undone = section(UNDO_OUTLOOK, [Sentence(words(plan.undo_outlook))], level=2)
            yield section_widget((*undone, *preconditions(plan), digest), id="guards", classes="part")

    def _heading(self) -> Text:
        plan = self._plan
        on = f" on {called(plan.channel)}, error {plan.errno}"
        lines = (
            words(*plan_words(plan), on),
            *(words(muted(said)) for said in (effect(plan), _first(plan.undo_outlook)) if said),
        )
        heading = Text("\n").join(map(styled, lines))
        if plan.risks:  # a narrow terminal has them below the SQL
            heading.append(f"\n! {counted(len(plan.risks), 'warning')}, under Warnings", "bold yellow")
        return heading

    def on_mount(self) -> None:
        self._show(0)

    def focus_steps(self) -> None:
        """Give the keyboard to the list of steps, without scrolling there."""
        self.screen.set_focus(self.query_one("#step-list"), scroll_visible=False)

    def _line(self, n: int) -> Text:
        said = statement_text(statement(self._plan, self._items[n]), LINE)
        return Text(f"{n + 1}. {visible(said, keep_newlines=False)}")

    def on_line_list_highlighted(self, event: LineList.Highlighted) -> None:
        event.stop()
        self._show(event.index)

    def on_line_list_selected(self, event: LineList.Selected) -> None:
        event.stop()
        self.query_one("#step-sql").focus()

    def _show(self, n: int) -> None:
        item = self._items[n]
        for name in ("#rows-title", "#step-rows", "#undo-title", "#step-undo"):
            self.query_one(name).display = isinstance(item, Step)
        self.query_one("#sql-title", Static).update(title(f"Step {n + 1}: exact SQL"))
        if isinstance(item, str):
            lost = list(left_out_lines(self._plan))
            lines = [item, "", f"{LEFT_OUT}:", *lost] if lost else [item]
            self.query_one("#step-sql", LongText).show(Wrapped("\n".join(lines)))
            return
        there = is_on_source(self._plan, item)
        self.query_one("#rows-title", Static).update(title(plain(row_words(self._plan, item))))
        self.query_one("#step-sql", LongText).show(Wrapped(item.sql))
        self.query_one("#step-undo", LongText).show(Wrapped(item.undo_sql))
        server = "source" if there else "replica"
        self.query_one("#step-rows", SideBySide).show(of_step(item, self._tables.get(item.table), server))

    # --- for the clipboard ---

    @property
    def step_sql(self) -> tuple[str, str]:
        """The SQL of the step at the cursor, and what it is called when it is copied."""
        n = self.query_one("#step-list", LineList).cursor
        item = self._items[n]
        return _copied(item), f"Step {n + 1}" if isinstance(item, str) else f"SQL of step {n + 1}"

    @property
    def all_sql(self) -> tuple[str, str]:
        """The SQL of all steps, a line each, and what it is called when it is copied."""
        return "\n".join(map(_copied, self._items)), "SQL of all steps"
