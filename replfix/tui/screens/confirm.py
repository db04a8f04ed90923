"""The last question before a plan is applied. Its default is *Cancel*."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Footer, Input, Static

from replfix.core.plan.plan import Plan
from replfix.present.page.confirmation_page import confirmation_blocks, question, type_to_apply
from replfix.present.page.rich_page import styled
from replfix.present.safe_text import visible
from replfix.tui.messages import Polled
from replfix.tui.plan_staleness import Fit
from replfix.tui.screen import ReplfixDialog
from replfix.tui.typed_name import entered
from replfix.tui.widgets.choice import Choice
from replfix.tui.widgets.points import blocks_text, point

MORE = "↓ more of it: arrows, PgDn"


class ConfirmDialog(ReplfixDialog[bool]):
    """True when the plan is to be applied. A plan that displaces or leaves out rows wants the name of the first such table typed."""

    CSS_PATH = "confirm.tcss"
    AUTO_FOCUS = "#cancel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="confirm.cancel", tooltip="Change nothing"),
        Binding("up", "scroll_text(-1)", "Scroll", id="confirm.up", show=False),
        Binding("down", "scroll_text(1)", "Scroll", id="confirm.down", show=False),
        Binding("pageup", "scroll_text(-8)", "Scroll", id="confirm.pageup", show=False),
        Binding("pagedown", "scroll_text(8)", "Scroll", id="confirm.pagedown", show=False),
        Binding("left,right", "other", "Other button", key_display="←→", id="confirm.other", tooltip="Cancel or Apply"),
    ]

    def __init__(self, plan: Plan, name: str, staleness: str = "") -> None:
        super().__init__()
        self._plan = plan
        self._name_ = name
        self._staleness = staleness
        self._fit: Fit | None = None
        self._wanted = visible(plan.named_by, keep_newlines=False)

    def compose(self) -> ComposeResult:
        with Vertical(id="confirm-box"):
            yield Static(Text(visible(question(self._name_), keep_newlines=False), style="bold"), markup=False)
            with VerticalScroll(id="confirm-text", can_focus=False):
                yield Static(blocks_text(confirmation_blocks(self._plan)), markup=False)
            yield Static(Text(MORE), id="confirm-more", markup=False)
            yield Static(id="confirm-stale", markup=False)
            if self._wanted:
                yield Static(
                    Text.assemble(styled(type_to_apply(self._plan)), (self._wanted, "bold reverse")),
                    id="confirm-ask", markup=False,
                )  # fmt: skip
                yield Input(id="confirm-name", placeholder=self._wanted, compact=True, select_on_focus=False)
            with Horizontal(id="confirm-buttons"):
                yield Choice("Cancel", id="cancel", compact=True)
                yield Choice("Apply", id="apply", compact=True, variant="error")
            yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        seen = self.replfix.watch_.seen(self._name_)
        self._fit = Fit(self._name_, self._plan, seen.sequence if seen else 0)
        self._fit.staleness = self._staleness
        self.query_one("#confirm-stale").display = False
        self.query_one("#cancel").focus()
        self._settle()
        self.watch(self.query_one("#confirm-text"), "scroll_y", lambda: self._more(), init=False)

    def on_resize(self) -> None:
        self.call_after_refresh(self._more)

    def _more(self) -> None:
        """Show whether there is more of the text than is in view: its warnings come last."""
        more, wanted = self.query_one("#confirm-more"), not self.query_one("#confirm-text").is_vertical_scroll_end
        if more.visible is not wanted:
            more.visible = wanted

    def polled(self, message: Polled) -> None:
        if self._fit is not None and self._fit.look(message):
            self._settle()

    def _settle(self) -> None:
        """Show whether Apply can be pressed now, and in words why not."""
        staleness = self._fit.staleness if self._fit else ""
        silence = self._fit.silence if self._fit else ""
        stale = self.query_one("#confirm-stale", Static)
        stale.display = bool(staleness or silence)
        if silence and not staleness:
            stale.update(point("?", silence, "bold red"))
            self.query_one("#cancel").focus()
        apply = self.query_one("#apply", Button)
        if staleness:
            stale.update(
                point("✗", f"This plan cannot be applied any more: since it was made, {staleness}.", "bold red")
            )
            for ask in self.query("#confirm-ask, #confirm-name"):
                ask.display = False  # there is nothing to confirm any more
            self.query_one("#cancel").focus()
        typed = self.query_one("#confirm-name", Input).value.strip() if self._wanted else ""
        apply.disabled = bool(staleness or silence) or typed != self._wanted

    # --- keys ---

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._settle()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        entered(self, self.query_one("#apply", Button), self._wanted)

    def action_scroll_text(self, by: int) -> None:
        self.query_one("#confirm-text").scroll_relative(y=by, animate=False)

    def action_other(self) -> None:
        apply = self.query_one("#apply", Button)
        (self.query_one("#cancel") if apply.has_focus or apply.disabled else apply).focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(event.button.id == "apply")

    def action_cancel(self) -> None:
        self.dismiss(False)
