"""A name that a human types before something is done that is not simply taken back."""

from __future__ import annotations

import click

from replfix.present.safe_text import visible

NO_TERMINAL = "Look at it with --dry-run, then give --yes."


def typed(question: str, name: str) -> bool:
    """Whether it is typed as it is shown; anything else, and the end of the input, is a no."""
    shown = visible(name)
    answer: str = click.prompt(f"{visible(question)}{shown}", default="", show_default=False, err=True)
    return answer.strip() == shown
