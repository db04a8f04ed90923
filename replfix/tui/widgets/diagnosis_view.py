"""One diagnosis from the top: what happened, why, what conflicts, what can be done."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widgets import Collapsible, Static

from replfix.core.diagnosis.diagnosis import Diagnosis, Proposal
from replfix.core.words import counted
from replfix.present.page.incident_page import (
    conflicts_heading,
    facts,
    headline,
    manual_steps,
    next_words,
    open_questions,
    why,
)
from replfix.present.page.page_model import Facts, Message, Point, Symbol
from replfix.present.page.rich_page import styled
from replfix.tui.keys import key_of
from replfix.tui.widgets.conflict_list import Conflicts
from replfix.tui.widgets.points import blocks_text, section_widget
from replfix.tui.widgets.strategies import Strategies


class DiagnosisView(Container):
    """Everything that is known of a stopped channel; the strategies and the conflicts can be entered."""

    def __init__(self, name: str, diagnosis: Diagnosis) -> None:
        super().__init__(id="diagnosis")
        self._replica = name
        self._diagnosis = diagnosis

    def compose(self) -> ComposeResult:
        diagnosis = self._diagnosis
        with Vertical(id="story"):
            top = (Point(Symbol.ERROR, headline(self._replica, diagnosis)), Facts(facts(diagnosis).pairs[1:]))
            yield Static(blocks_text(top), id="what", markup=False)
            yield Static(_next(diagnosis, diagnosis.recommended, self._plan_key), id="next", markup=False)
            with Collapsible(title="The server's message", id="message"):
                yield Static(blocks_text([Message(diagnosis.evidence.error.message)]), markup=False)
            told = (*why(diagnosis), *manual_steps(diagnosis), *open_questions(diagnosis))
            yield section_widget(told, id="why")
        with Vertical(id="choice"):
            if conflicts_heading(diagnosis.evidence):
                yield Conflicts(diagnosis.evidence)
            yield Strategies(diagnosis)

    @property
    def _plan_key(self) -> str:
        return key_of(self.app, "incident.plan", "p")

    def on_strategies_highlighted(self, message: Strategies.Highlighted) -> None:
        """Let the line at the top name what p opens; the screen hears of it too."""
        self.query_one("#next", Static).update(_next(self._diagnosis, message.proposal, self._plan_key))


def _next(diagnosis: Diagnosis, proposal: Proposal | None, key: str) -> Text:
    if proposal is None or proposal.plan is None:
        if proposal is not None and proposal != diagnosis.recommended and diagnosis.recommended is not None:
            return Text(f"→ {proposal.strategy} cannot be done here; its reason is below.", style="bold")
        return Text.assemble(("→ ", "bold"), styled(next_words(diagnosis), "bold"))
    steps = counted(len(proposal.plan.steps), "step")
    return Text.assemble(
        ("→ ", "bold"), (key, "bold reverse"), f" shows the plan of {proposal.strategy}: {steps}, then START REPLICA."
    )
