"""A plan as it will be carried out: risks, steps, and of the highlighted step the exact SQL, the rows and the undo."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widgets import Static

from replfix.core.plan import Plan
from replfix.core.table import Table, TableName
from replfix.present.left_out import left_out_lines
from replfix.present.text import visible
from replfix.tui.widgets.line_list import LineList
from replfix.tui.widgets.long_text import LongText, Wrapped
from replfix.tui.widgets.points import plural, point, title, together
from replfix.tui.widgets.rows import of_step
from replfix.tui.widgets.side_by_side import SideBySide

LINE = 300  # characters of SQL on a step's line


def _copied(ending: str) -> str:
    """As a statement, without the words behind it."""
    return f"{ending.partition(': ')[0]};"


def loss(plan: Plan) -> str:
    """What the replica loses by it, in a few words."""
    if plan.left_out is None:
        return f"{plural(len(plan.displaced), 'row')} of the replica displaced"
    rows = len(plan.left_out.changes)
    return f"{plural(rows, 'row')} of the transaction left out" if rows else "a statement left out"


class PlanView(Container):
    def __init__(self, plan: Plan, digest: str, tables: Mapping[TableName, Table]) -> None:
        super().__init__()
        self._plan = plan
        self._digest = digest
        self._tables = tables

    def compose(self) -> ComposeResult:
        plan = self._plan
        with Vertical(id="plan-left"):
            yield Static(self._heading(), markup=False)
            if plan.risks:
                yield Static(
                    together([title("Mind"), *(point("!", r, "yellow") for r in plan.risks)]),
                    classes="part", markup=False,
                )  # fmt: skip
            yield Static(title(plural(len(plan.steps) + len(plan.ending), "step")), classes="part", markup=False)
            yield LineList(len(plan.steps) + len(plan.ending), self._line, id="step-list")
            guards = [title("Only if"), *(point("·", guard) for guard in plan.guards)]
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
            (loss(plan), "dim"),
        )  # fmt: skip

    def on_mount(self) -> None:
        self._show(0)

    def focus_steps(self) -> None:
        self.screen.set_focus(self.query_one("#step-list"), scroll_visible=False)

    def _line(self, n: int) -> Text:
        if (ending := self._ending(n)) is not None:
            return Text(f"{n + 1}. {ending}")
        return Text(f"{n + 1}. {visible(self._plan.steps[n].sql[:LINE], keep_newlines=False)}")

    def on_line_list_highlighted(self, event: LineList.Highlighted) -> None:
        event.stop()
        self._show(event.index)

    def on_line_list_selected(self, event: LineList.Selected) -> None:
        event.stop()
        self.query_one("#step-sql").focus()

    def _ending(self, n: int) -> str | None:
        """What is done behind the steps; None for a step."""
        behind = n - len(self._plan.steps)
        return self._plan.ending[behind] if behind >= 0 else None

    def _show(self, n: int) -> None:
        ending = self._ending(n)
        for name in ("#rows-title", "#step-rows", "#undo-title", "#step-undo"):
            self.query_one(name).display = ending is None
        self.query_one("#sql-title", Static).update(title(f"Step {n + 1}: exact SQL"))
        if ending is not None:
            lost = list(left_out_lines(self._plan))
            lines = [ending, "", "Left out on this replica, for good:", *lost] if lost else [ending]
            self.query_one("#step-sql", LongText).show(Wrapped("\n".join(lines)))
            return
        step = self._plan.steps[n]
        displaced = "displaced, its image is kept" if step.current is not None else "put back"
        self.query_one("#rows-title", Static).update(
            title(visible(f"The row of {step.table}: {displaced}", keep_newlines=False))
        )
        self.query_one("#step-sql", LongText).show(Wrapped(step.sql))
        self.query_one("#step-undo", LongText).show(Wrapped(step.undo_sql))
        self.query_one("#step-rows", SideBySide).show(of_step(step, self._tables.get(step.table)))

    # --- for the clipboard ---

    @property
    def step_sql(self) -> tuple[str, str]:
        n = self.query_one("#step-list", LineList).cursor
        if (ending := self._ending(n)) is not None:
            return _copied(ending), f"Step {n + 1}"
        return f"{self._plan.steps[n].sql};", f"SQL of step {n + 1}"

    @property
    def all_sql(self) -> tuple[str, str]:
        return "\n".join(
            [*(f"{s.sql};" for s in self._plan.steps), *map(_copied, self._plan.ending)]
        ), "SQL of all steps"
