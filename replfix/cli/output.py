"""Where output goes: data on stdout, narration on stderr, one JSON document when asked."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from replfix.cli.text import visible

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console


def emit(document: BaseModel) -> None:
    """Print one JSON document on stdout."""
    sys.stdout.write(document.model_dump_json(indent=2, by_alias=True) + "\n")
    sys.stdout.flush()


def console(*, stderr: bool = False) -> Console:
    """A Rich console (on stdout unless told otherwise) that reads no markup in what it is given (row data is hostile); NO_COLOR is honoured."""
    from rich.console import Console

    return Console(
        file=sys.stderr if stderr else sys.stdout, markup=False, highlight=False, emoji=False, soft_wrap=False
    )


def narrate(text: str) -> None:
    """One line on stderr about what is going on."""
    click.echo(visible(text), err=True)
