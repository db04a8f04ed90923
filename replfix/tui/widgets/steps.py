"""What is being done: a line for each step that began, the running one with the time that it takes."""

from __future__ import annotations

import time
from dataclasses import dataclass

from rich.text import Text
from textual.widgets import Static

from replfix.present.safe_text import visible
from replfix.tui.widgets.points import point, together

SAY_SECONDS = 2.0  # from when on a step's time is shown


@dataclass(slots=True)
class _Begun:
    text: str
    at: float
    took: float | None = None
    failed: bool = False
    come: str = ""  # how far it has come, of a long one


class Steps(Static):
    """Nothing in it moves but a count of seconds, so there is nothing to switch off where animations are not wanted."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._begun: list[_Begun] = []

    def on_mount(self) -> None:
        self.display = False
        self.set_interval(1.0, self._tick)

    def start_anew(self) -> None:
        """Forget the steps of the run before, and be seen."""
        self._begun.clear()
        self.display = True
        self._draw()

    def begin(self, text: str) -> None:
        """Begin the next step: the one before is done."""
        self._finish(False)
        self._begun.append(_Begun(text, time.monotonic()))
        self._draw()

    def advance(self, text: str) -> None:
        """Show how far the step has come that is under way."""
        if self._begun and self._begun[-1].took is None:
            self._begun[-1].come = text
            self._draw()

    def end(self, *, failed: bool) -> None:
        """End the last step, with a cross where it failed."""
        self._finish(failed)
        self._draw()

    def _finish(self, failed: bool) -> None:
        if self._begun and self._begun[-1].took is None:
            last = self._begun[-1]
            last.took = time.monotonic() - last.at
            last.failed = failed

    def _tick(self) -> None:
        if self._begun and self._begun[-1].took is None and time.monotonic() - self._begun[-1].at >= SAY_SECONDS:
            self._draw()

    def _draw(self) -> None:
        lines = []
        for step in self._begun:
            mark, style = (
                ("▶", "bold cyan") if step.took is None else ("✗", "bold red") if step.failed else ("✔", "green")
            )
            seconds = step.took if step.took is not None else time.monotonic() - step.at
            text = Text(visible(step.text))
            if step.come and step.took is None:
                text.append(f"  {visible(step.come, keep_newlines=False)}", style="cyan")
            if seconds >= SAY_SECONDS:
                text.append(f"  {seconds:.0f} s", style="dim")
            lines.append(point(mark, text, style))
        self.update(together(lines))
