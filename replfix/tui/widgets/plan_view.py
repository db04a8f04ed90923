"""A plan as it will be carried out: risks, steps, and of the highlighted step the exact SQL, the rows and the undo."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widgets import Static

from replfix.core.plan.plan import ON_SOURCE, Plan, Step
from replfix.core.schema.table import Table, TableName
from replfix.present.left_out import left_out_lines
from replfix.present.safe_text import visible
from replfix.tui.widgets.line_list import LineList
from replfix.tui.widgets.long_text import LongText, Wrapped
from replfix.tui.widgets.points import plural, point, title, together
from replfix.tui.widgets.rows import of_step
from replfix.tui.widgets.side_by_side import SideBySide

LINE = 300  # characters of SQL on a step's line


def _copied(item: Step | str) -> str:
    """As a statement, without the words behind it."""
    if isinstance(item, Step):
        return f"{item.sql};"
    return f"{item.removeprefix(ON_SOURCE) if item.startswith(ON_SOURCE) else item.partition(': ')[0]};"


def loss(plan: Plan) -> str:
    """What the replica loses by it, in a few words."""
    if plan.left_out is None:
        written = f", {plural(len(plan.on_source.steps), 'row')} written on the source" if plan.on_source else ""
        return f"{plural(len(plan.displaced), 'row')} of the replica displaced{written}"
    return f"{plan.left_out.in_words} of the transaction left out"


class PlanView(Container):
    def __init__(self, plan: Plan, digest: str, tables: Mapping[TableName, Table]) -> None:
        super().__init__()
        self._plan = plan
        self._digest = digest
        self._tables = tables
        self._items: tuple[Step | str, ...] = (*plan.steps, *plan.behind)
        self._net = frozenset(map(id, plan.net_rows))

    def compose(self) -> ComposeResult:
        plan = self._plan
        with Vertical(id="plan-left"):
            yield Static(self._heading(), markup=False)
            if plan.risks:
                yield Static(
                    together([title("Mind"), *(point("!", r, "yellow") for r in plan.risks)]),
                    classes="part", markup=False,
                )  # fmt: skip
            yield Static(title(plural(len(self._items), "step")), classes="part", markup=False)
            yield LineList(len(self._items), self._line, id="step-list")
            guards = [title("Only if"), *(point("·", guard.in_words) for guard in plan.guards)]
            digest = point("·", f"the plan is the one with digest {self._digest}")
            yield Static(together([*guards, digest]), id="guards", classes="part", markup=False)
        with Vertical(id="plan-right"):
            yield Static(title("Exact SQL"), id="sql-title", classes="part", markup=False)
            yield LongText(Wrapped(""), id="step-sql")
            yield Static(title("Its row"), id="rows-title", classes="part", markup=False)
            yield SideBySide(id="step-rows")
            yield Static(title("How it is undone"), id="undo-title", classes="part", markup=False)
            yield LongText(Wrapped(""), id="step-undo")

    def _heading(self) -> Text:
        plan = self._plan
        channel = f"channel {visible(plan.channel)}" if plan.channel else "the default channel"
        return Text.assemble(
            (plan.strategy, "bold"), f" for {plan.transaction} on {channel}, error {plan.errno}\n",
            (f"{loss(plan)}\n{visible(plan.undo_outlook)}", "dim"),
        )  # fmt: skip

    def on_mount(self) -> None:
        self._show(0)

    def focus_steps(self) -> None:
        self.screen.set_focus(self.query_one("#step-list"), scroll_visible=False)

    def _line(self, n: int) -> Text:
        item = self._items[n]
        if isinstance(item, str):
            return Text(f"{n + 1}. {visible(item[:LINE], keep_newlines=False)}")
        where = "on the source: " if self._on_source(item) else "in the applier's place: " if self._own(item) else ""
        return Text(f"{n + 1}. {where}{visible(item.sql[:LINE], keep_newlines=False)}")

    def _on_source(self, step: Step) -> bool:
        part = self._plan.on_source
        return part is not None and any(step is each for each in part.steps)

    def _own(self, step: Step) -> bool:
        """Whether it is the transaction's."""
        return id(step) in self._net

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
            lines = [item, "", "Left out on this replica, for good:", *lost] if lost else [item]
            self.query_one("#step-sql", LongText).show(Wrapped("\n".join(lines)))
            return
        there = self._on_source(item)
        said = "displaced, its image is kept" if item.current is not None else "written" if there else "put back"
        if self._own(item):
            said = "the transaction's own"
        where = "on the source, of" if there else "of"
        self.query_one("#rows-title", Static).update(
            title(visible(f"The row {where} {item.table}: {said}", keep_newlines=False))
        )
        self.query_one("#step-sql", LongText).show(Wrapped(item.sql))
        self.query_one("#step-undo", LongText).show(Wrapped(item.undo_sql))
        server = "source" if there else "replica"
        self.query_one("#step-rows", SideBySide).show(of_step(item, self._tables.get(item.table), server))

    # --- for the clipboard ---

    @property
    def step_sql(self) -> tuple[str, str]:
        n = self.query_one("#step-list", LineList).cursor
        item = self._items[n]
        return _copied(item), f"Step {n + 1}" if isinstance(item, str) else f"SQL of step {n + 1}"

    @property
    def all_sql(self) -> tuple[str, str]:
        return "\n".join(map(_copied, self._items)), "SQL of all steps"
