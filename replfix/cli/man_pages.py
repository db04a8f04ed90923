"""Man pages of the commands (section 1) and of the other pages of the documentation (section 7)."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

import replfix
from replfix.present.manual.linked_text import without_links
from replfix.present.manual.roff import man_page
from replfix.present.manual.topics import Topic, topics

_IN_SECTION_7 = ("", "strategies", "reference")


def man_pages() -> Iterator[tuple[str, str]]:
    """Yield each page's file name and its source."""
    from replfix.cli.app import cli

    context = click.Context(cli, info_name="replfix")
    pages = [topic for topic in topics() if topic.shelf == "commands"]
    for topic in pages:
        command = cli.get_command(context, topic.name)
        assert command is not None
        yield _page(topic, 1, command.get_short_help_str(200).rstrip("."), [_options(command, context, topic.name)])
    for topic in topics():
        if topic.shelf in _IN_SECTION_7:
            yield _page(topic, 7, topic.title, [])
    others = [f"replfix-{topic.name}(1)" for topic in pages]
    summary = "a replication conflict resolver for MySQL and MariaDB replicas"
    text = f"# replfix\n\n{inspect.cleandoc(cli.help or '')}\n\n{_options(cli, context, 'replfix')}"
    yield "replfix.1", man_page("replfix", 1, summary, text, others, replfix.__version__)


def _page(topic: Topic, section: int, summary: str, more: list[str]) -> tuple[str, str]:
    name = f"replfix-{topic.name}"
    text, linked = without_links(topic)
    see = ["replfix(1)", *(f"replfix help {other}" for other in linked)]
    return f"{name}.{section}", man_page(name, section, summary, "\n\n".join((text, *more)), see, replfix.__version__)


def _options(command: click.Command, parent: click.Context, name: str) -> str:
    """Return the options as a section in Markdown; of the commands of a group, each its own."""
    context = parent if command is parent.command else click.Context(command, info_name=name, parent=parent)
    rows = [record for p in command.params if (record := p.get_help_record(context)) is not None]
    text = "## Options\n\n" + "\n".join(f"* `{option}` {help_}" for option, help_ in rows) if rows else ""
    for child_name in (
        command.list_commands(context) if isinstance(command, click.Group) and parent.command is not command else ()
    ):
        child = command.get_command(context, child_name)  # type: ignore[attr-defined]
        assert child is not None
        text += f"\n\n## {name} {child_name}\n\n" + _options(child, context, child_name).replace(
            "## Options", "### Options"
        )
    return text
