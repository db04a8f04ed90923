"""One diagnosis from the top: what happened, why, what is in the way, what can be done."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widgets import Collapsible, Static

from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.replication.applier_error import ROW_ERRORS
from replfix.present.safe_text import visible
from replfix.tui.widgets.causes import Causes, Headline
from replfix.tui.widgets.conflict_list import Conflicts
from replfix.tui.widgets.points import plural
from replfix.tui.widgets.strategies import Strategies


class DiagnosisView(Container):
    def __init__(self, name: str, diagnosis: Diagnosis) -> None:
        super().__init__(id="diagnosis")
        self._replica = name
        self._diagnosis = diagnosis

    def compose(self) -> ComposeResult:
        diagnosis = self._diagnosis
        with Vertical(id="story"):
            yield Headline(self._replica, diagnosis)
            yield Static(_next(diagnosis), id="next", markup=False)
            with Collapsible(title="The server's message", id="message"):
                yield Static(Text(visible(diagnosis.evidence.error.message), style="dim"), markup=False)
            yield Causes(diagnosis)
        with Vertical(id="choice"):
            found = diagnosis.evidence.reconciliation
            if found is not None and (found.conflicts or diagnosis.evidence.rows_compared):
                yield Conflicts(diagnosis.evidence)
            yield Strategies(diagnosis)


def _next(diagnosis: Diagnosis) -> Text:
    proposal = diagnosis.recommended
    if proposal is None or proposal.plan is None:
        if diagnosis.advice:
            about_rows = diagnosis.evidence.error.errno in ROW_ERRORS
            why = "No strategy repairs this" if about_rows else "No change of rows helps here"
            return Text(f"→ {why}; what a human can do is below.", style="bold")
        if any(proposal.allowed for proposal in diagnosis.proposals):
            return Text("→ Nothing repairs this; what is left is below.", style="bold")
        return Text("→ No strategy is possible here; the reasons are below.", style="bold")
    steps = plural(len(proposal.plan.steps), "step")
    return Text.assemble(
        ("→ ", "bold"), ("p", "bold reverse"), f" shows the plan of {proposal.strategy}: {steps}, then START REPLICA."
    )
