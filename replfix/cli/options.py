"""The options that commands share."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import click
from click.core import ParameterSource

from replfix.cli.progress_line import PROGRESS_LINE
from replfix.core.connection.command_line import current, given
from replfix.errors import ReplfixError, UsageError

_COMMAND_LINE = ParameterSource.COMMANDLINE

READ_ONLY_HELP = "Refuse everything that writes on a server or to the audit trail, dry runs too."


def both_given(one: str, other: str) -> UsageError:
    """Return the error for two options of which one has to be left out."""
    return UsageError(f"{one} and {other} were both given.", "Leave one of them out.")


def source_of_several() -> UsageError:
    """Return the error for ``--source`` where it is not clear whose it is."""
    return UsageError("--source was given, and several replicas.", "Name the one replica that it belongs to.")


class AlsoBefore(click.Option):
    """An option that may be in front of the command too: there it is one of ``replfix`` itself, with the same name."""

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, ParameterSource]:
        """Return what was given after the command, else what was given before it."""
        value, source = super().consume_value(ctx, opts)
        root, name = ctx.find_root(), self.name or ""
        if source is not _COMMAND_LINE and root is not ctx and root.get_parameter_source(name) is _COMMAND_LINE:
            return root.params[name], _COMMAND_LINE
        return value, source


_option = functools.partial(click.option, cls=AlsoBefore)


def common_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--config``, ``--json`` and ``--verbose`` as ``config_path``, ``as_json`` and ``verbose``; and ``--read-only``.

    ``load`` knows of the latter: no command has to pass it on.
    """

    @functools.wraps(function)
    def with_command_line(read_only: bool, **others: Any) -> Any:
        progress = PROGRESS_LINE.shown(others["verbose"] or not others["as_json"])
        with given(replace(current(), read_only=read_only)), progress:
            try:
                return function(**others)
            except ReplfixError as error:
                from replfix.cli.printed_commands import with_what_was_named

                error.hint = with_what_was_named(error.hint)
                raise

    command = _option("--read-only", is_flag=True, help=READ_ONLY_HELP)(with_command_line)
    command = _option("--verbose", is_flag=True, help="Say more on stderr about what is done.")(command)
    command = _option("--json", "as_json", is_flag=True, help="Print exactly one JSON document on stdout.")(command)
    return _option(
        "--config",
        "config_path",
        metavar="FILE",
        type=click.Path(dir_okay=False),
        help="Configuration file (default: $REPLFIX_CONFIG, ./replfix.toml, the user's and the system's).",
    )(command)


def _server_names(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    from replfix.lab import flavours

    return [name for name in flavours.NAMES if name.startswith(incomplete)]


def server_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--server``: which servers a lab is made of."""
    return click.option(
        "--server",
        metavar="NAME",
        shell_complete=_server_names,
        help="mysql (the default), mariadb, mariadb-10.5, mariadb-10.11 or mariadb-11.8.",
    )(function)


@dataclass(frozen=True, slots=True)
class ReplicaSelector:
    """Which replica the command line names: NAME or URL, its source where that was given, one channel or any."""

    name: str | None
    replica_url: str | None
    source_url: str | None
    channel: str | None
    source_uuid: str | None = None

    @property
    def named(self) -> bool:
        """Whether a replica was named; without one a command may take all that are configured."""
        return self.name is not None or self.replica_url is not None


def replica_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add NAME, or ``--replica URL`` with ``--source URL``, ``--source-uuid`` and ``--channel``: together as ``meant``.

    And what the mysql client takes for signing in. UsageError where several replicas are named.
    """

    @functools.wraps(function)
    def one(names: tuple[str, ...], urls: tuple[str, ...], **others: Any) -> Any:
        if len(names) + len(urls) > 1:
            raise UsageError(
                f"This command works on one replica, and {len(names) + len(urls)} were named.",
                "Give one NAME or one --replica. 'replfix status' takes several.",
            )
        return _gathered(function, names, urls, **others)

    argument = click.argument("names", metavar="[NAME]", nargs=-1, shell_complete=configured_names)
    return argument(_selecting(one))


def replicas_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the same for any number of replicas: ``meant`` is a tuple, of one without a name where none was named."""

    @functools.wraps(function)
    def several(names: tuple[str, ...], urls: tuple[str, ...], **others: Any) -> Any:
        if others["source_url"] is not None and len(names) + len(urls) > 1:
            raise source_of_several()
        return _gathered(function, names, urls, many=True, **others)

    argument = click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=configured_names)
    return argument(_selecting(several, " Can be given several times."))


def _gathered(
    function: Callable[..., Any],
    names: tuple[str, ...],
    urls: tuple[str, ...],
    source_url: str | None,
    source_uuid: str | None,
    channel: str | None,
    many: bool = False,
    **others: Any,
) -> Any:
    named = [*((name, None) for name in names), *((None, url) for url in urls)] or [(None, None)]
    meant = tuple(ReplicaSelector(name, url, source_url, channel, source_uuid) for name, url in named)
    return function(meant=meant if many else meant[0], **others)


def _selecting(function: Callable[..., Any], how_many: str = "") -> Callable[..., Any]:
    from replfix.cli.client_options import client_options

    command = client_options(function)
    command = click.option("--channel", metavar="NAME", help="This channel only, of several.")(command)
    command = click.option(
        "--source-uuid",
        metavar="UUID",
        help="The server_uuid of another server to read in place of the source; the server that answers has to have it.",
    )(command)
    command = _option(
        "--source",
        "source_url",
        metavar="URL",
        help="The source, where it cannot be found from the replica's own status.",
    )(command)
    return _option(
        "--replica",
        "urls",
        metavar="URL",
        multiple=True,
        help=f"The replica: mysql://user:password@host:port.{how_many}",
    )(command)


_PLAIN = re.compile(r"[\w.:@%+-]+\Z")
"""What a shell takes as it is: bash writes what is offered into the line without quotes."""


def configured_names(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the configured replicas that begin with ``incomplete``; none where the configuration has an error.

    Without names that a shell would not take as they are.
    """
    from replfix.config import load
    from replfix.errors import ReplfixError

    try:
        root = ctx.find_root().params.get("config_path")
        config = load(ctx.params.get("config_path") or root)
        names = list(config.file.replicas)
    except ReplfixError:
        return []
    if ctx.info_name == "explain":
        names += config.postgresql_names
    return [name for name in names if name.startswith(incomplete) and _PLAIN.match(name)]
