"""``replfix help``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from replfix.cli.options import both_given, common_options
from replfix.cli.output import emit, narrate, page

if TYPE_CHECKING:
    from rich.console import RenderableType

    from replfix.present.manual.topics import Topic

_SHELVES = {
    "commands": "Commands", "": "Using it", "strategies": "Strategies", "causes": "Causes", "errors": "Errors (or their number)",
    "reference": "Reference", "decisions": "Why it is as it is",
}  # fmt: skip


def _topics(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    from replfix.present.manual.topics import topics

    names = dict.fromkeys(name for topic in topics() for name in (topic.name, topic.path))
    return [name for name in names if name.startswith(incomplete)]


@click.command(
    "help",
    epilog="""\\b
Examples:
  replfix help                          what there is
  replfix help configuration
  replfix help resolve
  replfix help 1062                     the page of an error number
  replfix help --search "super_read_only"
  replfix help --man ~/.local/share/man""",
)
@click.argument("topic", required=False, shell_complete=_topics)
@click.option("--list", "list_", is_flag=True, help="List all topics, one a line.")
@click.option("--search", "words", metavar="WORDS", help="List the topics that have these words.")
@click.option(
    "--man",
    "man",
    metavar="DIRECTORY",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write man pages there, into man1 and man7.",
)
@common_options
def command(
    topic: str | None,
    list_: bool,
    words: str | None,
    man: Path | None,
    config_path: str | None,  # noqa: ARG001
    as_json: bool,
    verbose: bool,  # noqa: ARG001
) -> int:
    """Show the documentation, which is installed with the program. TOPIC is a command, a page, a cause or an error number."""
    from replfix.cli.documents.help import help_document
    from replfix.present.manual.topics import find, search, topics

    given = [
        name for name, value in (("TOPIC", topic), ("--list", list_), ("--search", words), ("--man", man)) if value
    ]
    if len(given) > 1:
        raise both_given(given[0], given[1])
    if man is not None:
        return _write(man)
    if topic is not None:
        found = find(topic)
        if as_json:
            emit(help_document([found], found.markdown))
        else:
            _show(found)
        return 0
    if words is not None:
        hits = list(search(words))
        if as_json:
            emit(help_document([hit.topic for hit in hits]))
        else:
            page(*_table((hit.topic.path, hit.line) for hit in hits))
            if not hits:
                narrate(f"No topic has all of these words: {words}")
        return 0 if hits else NOTHING_FOUND
    if as_json:
        emit(help_document(list(topics())))
    elif list_:
        page(*_table((each.path, each.title) for each in topics()))
    else:
        page(*_overview())
    return 0


NOTHING_FOUND = 2


def _show(topic: Topic) -> None:
    from rich.markdown import Markdown
    from rich.text import Text

    from replfix.present.manual.linked_text import without_links
    from replfix.present.manual.topics import others_named

    text, linked = without_links(topic)
    more = [Text(f"See also: replfix help {', '.join(linked)}")] if linked else []
    more += [Text(f"Of the same name: replfix help {other.path}") for other in others_named(topic)]
    page(Markdown(text, hyperlinks=False), Text(), *more, prose=True)


def _table(rows: Iterable[tuple[str, str]]) -> Iterator[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2, 0, 0))
    listed = list(rows)
    grid.add_column(no_wrap=True, min_width=max((len(first) for first, _ in listed), default=1))
    grid.add_column(no_wrap=True, overflow="ellipsis")
    for first, second in listed:
        grid.add_row(Text(first, style="bold"), Text(second))
    yield grid


def _overview() -> Iterator[RenderableType]:
    from rich.text import Text

    from replfix.present.manual.topics import topics

    yield Text("replfix help TOPIC shows one of these; --search WORDS finds one.\n")
    for shelf, title in _SHELVES.items():
        names = "  ".join(topic.name for topic in topics() if topic.shelf == shelf)
        yield Text.assemble((f"{title}\n", "bold"), f"  {names}\n")


def _write(directory: Path) -> int:
    from replfix.cli.man_pages import man_pages
    from replfix.errors import UsageError

    written = 0
    try:
        for name, text in man_pages():
            file = directory / f"man{name[-1]}" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
            written += 1
    except OSError as error:
        raise UsageError(f"Cannot write to {directory}: {error.strerror}.", "Name a directory of your own.") from None
    narrate(f"{written} man pages are in {directory}. If man does not find them: MANPATH={directory}: man replfix")
    return 0
