"""Where output goes: data on stdout, narration on stderr, one JSON document when asked."""

from __future__ import annotations

import codecs
import os
import sys
from typing import TYPE_CHECKING

import click

from replfix.cli.progress_line import PROGRESS_LINE
from replfix.core.binlog.secrets import without_passwords
from replfix.core.words import Advance
from replfix.present.ascii_text import without_symbols
from replfix.present.safe_text import harmless_json, indented, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic import BaseModel
    from rich.console import Console, RenderableType

    from replfix.errors import ReplfixError
    from replfix.present.page.page_model import Page


PIPED_WIDTH = 200
PROSE_WIDTH = 100


def emit(document: BaseModel) -> None:
    """Print one JSON document on stdout."""
    text = document.model_dump_json(indent=2, by_alias=True)
    sys.stdout.write(harmless_json(text, only_ascii=not _is_utf8()) + "\n")
    sys.stdout.flush()


def _is_utf8() -> bool:
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def console(*, stderr: bool = False, most: int | None = None) -> Console:
    """Return a Rich console that reads no markup in what it is given (row data is hostile); NO_COLOR is honoured.

    ``most``: characters in a line, where it would have more.
    """
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    # A file or a pipe has no width of its own, and statements should not be broken there.
    width = None if stream.isatty() else PIPED_WIDTH
    out = Console(file=stream, markup=False, highlight=False, emoji=False, width=width)
    if most is not None and out.width > most:
        out.width = most
    return out


def print_page(of: Page, *, stderr: bool = False) -> None:
    """Print the page, without a pager."""
    _print(console(stderr=stderr), _parts(of))


def show_page(of: Page) -> None:
    """Print the page, through the user's pager where that is needed."""
    page(*_parts(of))


def show_pages(each: Iterable[Page]) -> None:
    """Print several pages as one, with an empty line between two."""
    parts: list[RenderableType] = []
    for of in each:
        parts += ["", *_parts(of)] if parts else _parts(of)
    page(*parts)


def _parts(of: Page) -> Iterator[RenderableType]:
    from replfix.cli.printed_commands import page_with_what_was_named
    from replfix.present.page.rich_page import page_text

    return page_text(page_with_what_was_named(of))


def page(*parts: RenderableType, prose: bool = False) -> None:
    """Print through the user's pager where stdout is a terminal and the text is longer than it.

    ``prose``: in lines that can be read, also on a wide terminal and in a file.
    """
    out = console(most=PROSE_WIDTH if prose else None)
    if not sys.stdout.isatty():
        _print(out, parts)
        return
    with out.capture() as capture:
        _print(out, parts)
    text = capture.get()
    if text.count("\n") < out.height:
        click.echo(text, nl=False)
    else:
        os.environ.setdefault("LESS", "FRX")  # colours pass, short texts stay, the screen is left as it was
        # the pager gets bytes, past what writes to stdout
        click.echo_via_pager(without_symbols(text, getattr(sys.stdout, "encoding", None) or "utf-8"))


def _print(out: Console, parts: Iterable[RenderableType]) -> None:
    for part in parts:
        out.print(part, crop=False)


def narrate_unknown_errant(replica: str, error: ReplfixError) -> None:
    """Report on stderr that errant transactions are unknown, and why: the command goes on."""
    narrate(f"{replica}: errant transactions are unknown: {error.message}")


def narrate(step: object) -> None:
    """Print one line on stderr about what is going on; how far a long step has come, in the line that is written over."""
    if isinstance(step, Advance):
        PROGRESS_LINE.show(step, _on_one_line)
    else:
        click.echo(indented(without_passwords(str(step))), err=True)


def narrate_advance(step: object) -> None:
    """Do as ``narrate`` for how far long steps have come, and leave the others out."""
    if isinstance(step, Advance):
        narrate(step)


def _on_one_line(text: str) -> str:
    return visible(without_passwords(text), keep_newlines=False)
