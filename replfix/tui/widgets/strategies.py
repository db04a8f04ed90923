"""What can be done: every strategy with what it does, its risks, and why it is recommended or not possible."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from replfix.core.diagnosis.diagnosis import Diagnosis, Proposal
from replfix.core.strategies import STRATEGIES
from replfix.present.reasons import reasons
from replfix.present.safe_text import visible
from replfix.tui.widgets.plan_view import loss
from replfix.tui.widgets.points import plural, point, title, together


class Strategies(Vertical):
    class Chosen(Message):
        def __init__(self, proposal: Proposal) -> None:
            super().__init__()
            self.proposal = proposal

    def __init__(self, diagnosis: Diagnosis) -> None:
        super().__init__(id="strategies")
        self._proposals = diagnosis.proposals
        self._recommended = diagnosis.recommended

    def compose(self) -> ComposeResult:
        yield Static(title("What can be done"), markup=False)
        summaries = {strategy.NAME: strategy.SUMMARY for strategy in STRATEGIES}
        yield OptionList(
            *(
                Option(together(_lines(p, reason, summaries.get(p.strategy, ""), p is self._recommended)))
                for p, reason in zip(self._proposals, reasons(self._proposals), strict=True)
            ),
            markup=False,
            id="strategy-list",
        )

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.post_message(self.Chosen(self._proposals[event.option_index]))


def _lines(proposal: Proposal, reason: str, summary: str, is_recommended: bool) -> Iterator[RenderableType]:
    mark, style = ("✔", "bold green") if proposal.allowed else ("✘", "bold red")
    word = "not possible" if not proposal.allowed else "recommended" if is_recommended else "possible"
    heading = Text.assemble((proposal.strategy, "bold"), f" ({word}): {visible(reason)}")
    yield point(mark, heading, style)
    if summary:
        yield point(" ", summary)
    if proposal.plan is not None:
        steps = plural(len(proposal.plan.steps), "step")
        yield point(" ", f"{loss(proposal.plan)}." if proposal.plan.left_out else f"{steps}, {loss(proposal.plan)}.")
        yield point(" ", proposal.plan.undo_outlook)
    for risk in proposal.risks:
        yield point("!", risk, "yellow", indent=2)
