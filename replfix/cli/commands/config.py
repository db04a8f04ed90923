"""``replfix config``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from replfix.cli.groups import CommandGroup
from replfix.cli.options import ReplicaSelector, common_options, replica_options
from replfix.cli.output import console, emit, narrate
from replfix.present.safe_text import visible

if TYPE_CHECKING:
    from replfix.config import Target

WRONG = 2


@click.group(
    "config",
    cls=CommandGroup,
    epilog="""\b
Examples:
  replfix config init -h 10.0.0.2 -u dba -p
  replfix config path
  replfix config show
  replfix config check""",
)
def command() -> None:
    """Write a configuration file, and show and check what is in effect."""


@command.command(
    "init",
    epilog="""\b
Examples:
  replfix config init                       asks for a host
  replfix config init -h 10.0.0.2 -u dba -p
  replfix config init --login-path=db2 --config /etc/replfix/replfix.toml
\b
Exit codes: 0 written · 4 there is a file, and nobody agreed to replace it · 6 cannot connect""",
)
@replica_options
@click.option("--yes", is_flag=True, help="Replace a file that is there; it is kept beside, as FILE.before.")
@common_options
def init(meant: ReplicaSelector, yes: bool, config_path: str | None, as_json: bool, verbose: bool) -> int:  # noqa: ARG001
    """Write replfix.toml from one host: a replica, or a source.

    Its sources are found from its own status, other replicas from the sources' lists. The file goes to --config, else to
    where it is read from without that. It has no password in it.
    """
    from replfix.cli.documents.config import ConfigInit
    from replfix.cli.open_servers import agree, ask_password
    from replfix.config.new_file import text_of, write_new
    from replfix.config.read_config import search_path
    from replfix.wiring.discover import discover

    file = Path(config_path).expanduser().absolute() if config_path else search_path()[1]
    replace = file.exists() and (yes or _agreed_to_replace(file))
    if file.exists() and not replace:
        raise _is_there(file)
    target = _one_host(meant)
    found = discover(target, ask_password, agree)
    text = text_of(found.replicas, found.sources, _defaults(target), str(target.replica), found.not_seen)
    try:
        kept = write_new(file, text, replace=replace)
    except FileExistsError:
        raise _is_there(file) from None
    names = [server.name for server in found.replicas]
    if as_json:
        sources = [server.name for server in found.sources]
        emit(ConfigInit(path=str(file), replicas=names, sources=sources, not_seen=found.not_seen))
        return 0
    click.echo(visible(f"Written: {file} ({', '.join(names) or 'no replica was found'})"))
    for each in (*found.not_seen, *([f"the old file is {kept}"] if kept else [])):
        narrate(f"Note: {each}")
    narrate("Next: replfix config check, then replfix doctor")
    return 0


def _is_there(file: Path) -> Exception:
    from replfix.errors import NotDone

    return NotDone(
        f"{file} is there already. Nothing was changed.", "Name another file (--config FILE), or give --yes."
    )


def _agreed_to_replace(file: Path) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    return click.confirm(visible(f"{file} is there already. Replace it, and keep it as {file.name}.before?"), err=True)


def _one_host(meant: ReplicaSelector) -> Target:
    """Return the server that the command line names, else ask for one. The file that is written is not read."""
    from replfix.config import Config, ConfigFile
    from replfix.core.connection.command_line import current
    from replfix.errors import UsageError

    config = Config(None, ConfigFile(), named=False, command_line=current())
    if meant.name is not None:
        raise UsageError("There is no configuration yet in which a name could be.", "Give a host: -h HOST -u USER -p.")
    url = meant.replica_url
    if url is None and config.addressed() is None:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise UsageError("Which host?", "Give one: -h HOST -u USER -p, or --replica mysql://user@host:port.")
        host = click.prompt("Host of a replica, or of a source (host or host:port)", err=True).strip()
        url = f"mysql://{host}"
    target = config.target(replica_url=url, source_url=meant.source_url, channel=meant.channel)
    if target.replica.user is None and sys.stdin.isatty() and sys.stderr.isatty():
        from dataclasses import replace

        user = click.prompt(f"Account for {target.replica}", err=True).strip()
        target = replace(target, replica=replace(target.replica, user=user))
    return target


def _defaults(target: Target) -> dict[str, str]:
    """Return what the command line says of all servers."""
    from replfix.core.connection.command_line import current

    given = current()
    found = {"defaults_file": given.defaults_file, "login_path": given.login_path}
    if not given.names_files:
        found["user"] = target.replica.user
    found["ssl_mode"] = given.tls.ssl_mode
    return {key: str(value) for key, value in found.items() if value}


@command.command("show", epilog="\b\nExamples:\n  replfix config show\n  replfix config show --json")
@common_options
def show(config_path: str | None, as_json: bool, verbose: bool) -> None:  # noqa: ARG001
    """Show the settings that are in effect, with their origin. Passwords are not shown."""
    from replfix.cli.documents.config import ConfigShow, SettingPart
    from replfix.config import load
    from replfix.config.effective import effective

    config = load(config_path)
    settings = list(effective(config))
    for warning in config.warnings:
        narrate(f"Warning: {warning}")
    if as_json:
        parts = [SettingPart(key=each.key, value=each.value, origin=each.origin) for each in settings]
        emit(ConfigShow(path=None if config.path is None else str(config.path), settings=parts))
        return
    _print_rows((each.key, _in_toml(each.value), each.origin) for each in settings)


def _in_toml(value: str | int | float | bool | None) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "-" if value is None else str(value)


def _print_rows(rows: Iterable[tuple[str, ...]]) -> None:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2, 0, 0))
    for row in rows:
        grid.add_row(*(Text(visible(cell)) for cell in row))
    console().print(grid)


@command.command("path", epilog="\b\nExamples:\n  replfix config path")
@common_options
def path(config_path: str | None, as_json: bool, verbose: bool) -> int:  # noqa: ARG001
    """Show which file is used, which ones were looked for, and which was refused and why."""
    from replfix.cli.documents.config import ConfigPath, LookedForPart
    from replfix.config.file_search import State, looked_for

    places = list(looked_for(config_path))
    used = next((str(each.path) for each in places if each.state is State.USED), None)
    if as_json:
        parts = [
            LookedForPart(path=str(each.path), named_by=each.named_by, state=each.state.value, why=each.why)
            for each in places
        ]
        emit(ConfigPath(used=used, looked_for=parts))
    else:
        words = {State.NOT_NEEDED: "not looked for"}
        _print_rows(
            (words.get(each.state, each.state.value), str(each.path), f"({each.named_by})", each.why) for each in places
        )
    refused = any(each.state is State.REFUSED for each in places)
    missing = any(each.state is State.MISSING and each.named_by[0] in "-$" for each in places)
    return WRONG if refused or missing else 0


@command.command(
    "check",
    epilog="""\b
Examples:
  replfix config check
  replfix config check new.toml
\b
Exit codes: 0 nothing is wrong · 2 something is""",
)
@click.argument("file", required=False, type=click.Path(dir_okay=False))
@common_options
def check(file: str | None, config_path: str | None, as_json: bool, verbose: bool) -> int:  # noqa: ARG001
    """Check a configuration file, and the files that it names: every mistake with its line and column.

    FILE, else the one that is used.
    """
    from replfix.cli.documents.config import ConfigCheck, ProblemPart
    from replfix.config.checking import checked

    where, problems = checked(file or config_path)
    if as_json:
        parts = [
            ProblemPart(
                line=each.place.line if each.place else None,
                column=each.place.column if each.place else None,
                message=each.what,
                hint=each.hint,
            )
            for each in problems
        ]
        emit(ConfigCheck(path=None if where is None else str(where), problems=parts))
    else:
        for each in problems:
            at = f":{each.place.line}:{each.place.column}" if each.place else ""
            click.echo(visible(f"{where or ''}{at}: {each.what} {each.hint}".strip(" :")))
        if not problems:
            click.echo(visible(f"{where}: nothing is wrong." if where else "There is no configuration file."))
    return WRONG if problems else 0
