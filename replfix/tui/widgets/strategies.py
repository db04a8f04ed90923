"""What can be done: every strategy with what it does, its risks, and why it is recommended or not possible."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from replfix.core.diagnosis.diagnosis import Diagnosis, Proposal
from replfix.present.page.incident_page import OPTIONS, consequences, options
from replfix.tui.widgets.points import blocks_text, title


class Strategies(Vertical):
    """The options of a diagnosis, one of which can be chosen."""

    class Chosen(Message):
        """An option was chosen, possible or not."""

        def __init__(self, proposal: Proposal) -> None:
            super().__init__()
            self.proposal = proposal

    class Highlighted(Chosen):
        """The cursor is on an option, possible or not. It begins on the recommended one."""

    def __init__(self, diagnosis: Diagnosis) -> None:
        super().__init__(id="strategies")
        self._diagnosis = diagnosis
        self._proposals = diagnosis.proposals
        self._highlighted = diagnosis.recommended

    def compose(self) -> ComposeResult:
        yield Static(title(OPTIONS), markup=False)
        yield OptionList(
            *(
                Option(blocks_text((*said, *consequences(proposal))))
                for said, proposal in zip(options(self._diagnosis), self._proposals, strict=True)
            ),
            markup=False,
            id="strategy-list",
        )

    def on_mount(self) -> None:
        recommended = self._diagnosis.recommended
        if recommended is not None:
            self.query_one(OptionList).highlighted = self._proposals.index(recommended)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        proposal = self._proposals[event.option_index]
        if proposal is not self._highlighted:  # the first one is known: nothing has to be drawn anew
            self._highlighted = proposal
            self.post_message(self.Highlighted(proposal))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.post_message(self.Chosen(self._proposals[event.option_index]))
