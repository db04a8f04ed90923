"""Commands that are printed repeat what the user named, so that they can be pasted: ``'replfix errant'`` is of that replica.

The texts come from where no command line is known. They write a command in single quotes, without a replica.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

import click
from click.core import ParameterSource

from replfix.present.page.page_model import Block, Facts, Page, Point, Role, Section, Sentence, Table, Words

_COMMAND = re.compile(r"'replfix (?P<command>[a-z]+)(?P<rest>(?: [^'\n]*)?)'")
_ONE_REPLICA = ("names", "urls", "replica_url", "source_url", "source_uuid", "channel")
_OF_ALL = ("advise",)
"""Commands that compare all servers with each other: they are not narrowed to one."""
_SIGNING_IN = (
    "host",
    "port",
    "socket",
    "user",
    "password",
    "defaults_file",
    "defaults_extra_file",
    "defaults_group_suffix",
    "no_defaults",
    "login_path",
)


def with_what_was_named(text: str) -> str:
    """Return the text with the replica, channel, account and configuration of the running command in each printed command.

    A password is never repeated: the command that is pasted asks for it. Outside of a command nothing is changed, and
    neither is a command that names something already.
    """
    ctx = click.get_current_context(silent=True)
    if ctx is None or "'replfix " not in text:
        return text
    given = list(_given(ctx))
    return _COMMAND.sub(lambda found: _completed(found, ctx.find_root(), given), text) if given else text


def page_with_what_was_named(page: Page) -> Page:
    """Return the page with that in what replfix itself says; servers' names, texts and statements are left as they are."""
    if click.get_current_context(silent=True) is None:
        return page
    sections = tuple(_section(section) for section in page.sections)
    return replace(page, sections=sections, title=_words(page.title))


def _section(section: Section) -> Section:
    return replace(section, heading=_words(section.heading), blocks=tuple(_block(block) for block in section.blocks))


def _block(block: Block) -> Block:
    match block:
        case Sentence() | Point():
            return replace(block, words=_words(block.words))
        case Facts():
            return Facts(tuple((name, _words(of)) for name, of in block.pairs))
        case Table():
            rows = tuple(replace(row, cells=tuple(_words(each) for each in row.cells)) for row in block.rows)
            return replace(block, rows=rows)
        case _:
            return block


def _words(of: Words) -> Words:
    return tuple(span if span.role is Role.NAME else replace(span, text=with_what_was_named(span.text)) for span in of)


def _given(ctx: click.Context) -> Iterator[tuple[str, str]]:
    """Yield what is to be repeated: the option (empty for NAME), and how it is written."""
    several = len(ctx.params.get("names") or ()) + len(ctx.params.get("urls") or ()) > 1
    for parameter in ctx.command.params:
        name = parameter.name or ""
        is_one = name in _ONE_REPLICA
        if not (is_one or name in _SIGNING_IN or name == "config_path") or (is_one and several):
            continue
        value = ctx.params.get(name)
        if not value or ctx.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        option = "" if isinstance(parameter, click.Argument) else parameter.opts[0]
        for each in value if isinstance(value, tuple) else (value,):
            if each is True:
                yield option, option
            else:
                said = without_password(each) if name in ("names", "urls", "replica_url", "source_url") else str(each)
                yield option, f"{option} {_quoted(said)}".strip()


def _quoted(word: str) -> str:
    """Return the word as a shell takes it, in double quotes where these do: the command is in single ones."""
    quoted = shlex.quote(word)
    return quoted if quoted == word or any(sign in word for sign in '"$`\\!') else f'"{word}"'


def without_password(url: str) -> str:
    """Return a server's URL without its password; anything else as it is."""
    try:
        parts = urlsplit(url)
        account, at, host = parts.netloc.rpartition("@")
    except ValueError:
        return url
    if not at or ":" not in account:
        return url
    return urlunsplit(parts._replace(netloc=f"{account.partition(':')[0]}@{host}"))


def _completed(found: re.Match[str], root: click.Context, given: list[tuple[str, str]]) -> str:
    """Return the printed command with those of ``given`` that it takes: NAME behind the command, options at the end."""
    words = found["rest"].split()
    command = _group(root).get_command(root, found["command"])
    while isinstance(command, click.Group) and words and (inner := command.get_command(root, words[0])):
        command = inner
        del words[0]
    if command is None or isinstance(command, click.Group):
        return found[0]
    takes = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    if any(word in takes for word in words if word in ("--replica", "--config", "--help")):
        return found[0]
    narrowed = "names" in takes and not _names_one(words) and found["command"] not in _OF_ALL
    named = [said for option, said in given if not option and narrowed]
    options = [said for option, said in given if option in takes]
    return (
        f"'{' '.join(['replfix', found['command'], *named])}{found['rest']}{''.join(f' {each}' for each in options)}'"
    )


def _names_one(words: list[str]) -> bool:
    return bool(words) and not words[0].startswith("-")


def _group(root: click.Context) -> click.Group:
    assert isinstance(root.command, click.Group)
    return root.command
