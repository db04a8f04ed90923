"""A name that a human types before something is done that is not simply taken back."""

from __future__ import annotations

import click

from replfix.present.safe_text import visible


def typed(question: str, name: str) -> bool:
    """Whether it is typed as it is shown; anything else, and the end of the input, is a no."""
    shown = visible(name)
    answer: str = click.prompt(f"{question}, type {shown}", default="", show_default=False, err=True)
    return answer.strip() == shown
