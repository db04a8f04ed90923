"""The command line: finds the command's file when it is asked for, and turns every error into words and an exit code."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import TextIO, cast

import click

import replfix
from replfix.cli.client_options import client_options, refuse_passwords
from replfix.cli.groups import CommandGroup
from replfix.cli.options import AlsoBefore, common_options, server_option
from replfix.cli.progress_line import PROGRESS_LINE
from replfix.cli.stdio import BestEffortStream, ReaderGone
from replfix.errors import NotDone, NotVerified, ReplfixError, Unexpected, UsageError

COMMANDS = (
    "status",
    "diagnose",
    "forecast",
    "errant",
    "resolve",
    "advise",
    "explain",
    "audit",
    "undo",
    "recover",
    "doctor",
    "config",
    "lab",
    "help",
    "schema",
)

_COMMAND_LINE = click.core.ParameterSource.COMMANDLINE

INTERRUPTED = 130  # what shells report for a command ended by Ctrl-C


class _Commands(CommandGroup):
    """One file a command, ``replfix/cli/<name>.py``, imported when it is needed: ``--help`` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"replfix.cli.commands.{cmd_name}").command
        return command


def _scenarios(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from replfix.cli.commands.tui import scenario_names

    return scenario_names(ctx, parameter, incomplete)


@click.command(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-?", "-h", "--help"], "max_content_width": 110},
    epilog="""\b
Examples:
  replfix                            the terminal UI, on every configured replica
  replfix --demo two-writers         the same, on servers made and broken for you
  replfix status --replica mysql://dba@10.0.0.2
  replfix diagnose db2
  replfix resolve db2 --dry-run
  replfix lab demo
\b
Exit codes: 0 healthy or resolved · 1 bug · 2 usage · 3 conflict found · 4 not done ·
5 not verified · 6 cannot connect, or a privilege is missing
\b
Completion: eval "$(_REPLFIX_COMPLETE=bash_source replfix)"   (or zsh_source, fish_source)""",
)
@click.option(
    "--replica", "urls", cls=AlsoBefore, multiple=True, metavar="URL", help="A replica, without a configuration."
)
@click.option(
    "--source",
    "source_url",
    cls=AlsoBefore,
    metavar="URL",
    help="Its source, where that cannot be found from the replica's own status.",
)
@click.option(
    "--demo",
    is_flag=False,
    flag_value="duplicate-primary",
    metavar="[SCENARIO]",
    shell_complete=_scenarios,
    help="Start servers to try it on, break their replication, and look at that.",
)
@server_option
@click.option("--no-animation", is_flag=True, help="Nothing moves by itself on the screen.")
@client_options
@common_options
@click.version_option(replfix.__version__, prog_name="replfix")
@click.pass_context
def cli(
    ctx: click.Context,
    config_path: str | None,
    as_json: bool,
    verbose: bool,  # noqa: ARG001 - of the command behind it, and of _show_where
    urls: tuple[str, ...],
    source_url: str | None,
    demo: str | None,
    server: str | None,
    no_animation: bool,
) -> int:
    """Get a stopped MySQL or MariaDB replica running again: data right, nothing lost, all on record.

    Without a command it opens the terminal UI; the options here are for that.
    """
    given = [parameter for parameter in ctx.params if ctx.get_parameter_source(parameter) is _COMMAND_LINE]
    if ctx.invoked_subcommand is not None:
        for parameter in given:
            _check_place(ctx, parameter, ctx.invoked_subcommand)
        return 0
    from replfix.cli.commands.tui import on_terminal, open_demo, open_tui

    if as_json:
        raise UsageError("--json is for commands, and none was given.", "See 'replfix --help'.")
    if not given and not on_terminal():
        click.echo(ctx.get_help())
        return 0
    if demo is None:
        if server is not None:
            raise UsageError("--server says on which servers a demo is made.", "Give it with --demo.")
        return open_tui(config_path, urls, source_url, animate=not no_animation)
    if config_path or urls or source_url:
        raise UsageError("--demo has servers of its own.", "Leave out --config, --replica and --source.")
    return open_demo(demo, server=server, animate=not no_animation)


def _check_place(ctx: click.Context, parameter: str, command: str) -> None:
    """Raise UsageError for an option before a command that does not take it: it would be ignored in silence."""
    option = next(p for p in ctx.command.params if p.name == parameter)
    found = cli.get_command(ctx, command)
    if found is not None and parameter not in _taken_from_before(found):
        raise UsageError(
            f"{option.opts[-1]} is written before the command {command!r}, which does not take it there.",
            f"See 'replfix {command} --help'.",
        )


def _taken_from_before(command: click.Command) -> set[str | None]:
    taken = {p.name for p in command.params if isinstance(p, AlsoBefore)}
    children = command.commands.values() if isinstance(command, click.Group) else ()
    return taken.union(*map(_taken_from_before, children))


def run(args: Sequence[str] | None = None) -> int:
    """Run one command line; return the exit code of the contract. Never raises."""
    argv = list(sys.argv[1:] if args is None else args)
    clear = PROGRESS_LINE.clear
    out = BestEffortStream(sys.stdout, ends_with_reader=True, before=clear)
    err = BestEffortStream(sys.stderr, ends_with_reader=False, before=clear)
    with redirect_stdout(cast(TextIO, out)), redirect_stderr(cast(TextIO, err)):
        try:
            code = _run(argv)
            out.flush()
            if out.lost is not None:
                code = _undelivered(argv, out.lost, code)
        except ReaderGone:
            out.let_go()
            code = 0
        err.flush()
    for stream in (out, err):
        if stream.lost is not None:
            stream.let_go()
    return code


def _run(argv: Sequence[str]) -> int:
    try:
        refuse_passwords(argv)
        result = cli.main(args=list(argv), prog_name="replfix", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except ReaderGone:
        raise
    except ReplfixError as error:
        code = _report(argv, error.message, error.hint, error.exit_code)
        if isinstance(error, Unexpected):
            _show_where(argv)
        return code
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.Abort:
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        context = error.ctx if isinstance(error, click.UsageError) else None
        command = context.command_path if context is not None else "replfix"
        return _report(argv, error.format_message(), f"See '{command} --help'.", 2)
    except KeyboardInterrupt:
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except Exception as error:
        code = _report(argv, f"replfix failed: {type(error).__name__}: {error}", _BUG_HINT, 1)
        _show_where(argv)
        return code


_BUG_HINT = "This is a bug in replfix. Run again with --verbose and report what it prints."


def _show_where(argv: Sequence[str]) -> None:
    if "--verbose" in argv or "REPLFIX_DEBUG" in os.environ:
        import traceback

        from replfix.core.binlog.secrets import without_passwords

        click.echo(without_passwords(traceback.format_exc()), err=True)


_WHERE = {
    **dict.fromkeys(
        ("resolve", "undo", "recover", "audit prune"),
        "What was done is done, and on record: 'replfix audit list' and 'replfix audit show ID' print it, 'replfix status' says how "
        "the replicas stand.",
    ),
    "lab": "What was done is done: 'replfix lab status' shows the lab.",
}
"""Commands that can have changed something when they come to their end, and where it shows what."""
_UNCHANGED = (2, 3, 4, 6)  # by the contract


def _undelivered(argv: Sequence[str], error: OSError, code: int) -> int:
    """Report that the output could not be written; return the exit code.

    The command has ended: its own code remains, but for the one that means that all is well.
    """
    where = next((where for name, where in _WHERE.items() if list(argv[: name.count(" ") + 1]) == name.split()), "")
    changing = where and code not in _UNCHANGED
    hint = where if changing else "Nothing was changed. Make room, or write it elsewhere, and run it again."
    what = error.strerror or type(error).__name__
    _report([], f"The output could not be written to stdout: {what}. The command itself ended with {code}.", hint, code)
    return code or (NotVerified.exit_code if changing else NotDone.exit_code)


def _report(argv: Sequence[str], message: str, hint: str, exit_code: int) -> int:
    """Print an error in words on stderr; with ``--json`` also as the one document on stdout. Return the exit code."""
    from replfix.core.binlog.secrets import without_passwords
    from replfix.present.safe_text import indented

    message, hint = indented(without_passwords(message)), indented(without_passwords(hint))
    click.echo(f"{click.style('Error:', fg='red', bold=True)} {message}", err=True)
    if hint:
        click.echo(f"{click.style('Next:', bold=True)}  {hint}", err=True)
    if "--json" in argv:
        from replfix.cli.documents.error import ErrorDocument
        from replfix.cli.output import emit

        emit(ErrorDocument.of(message, hint, exit_code))
    if "--nagios" in argv:
        from replfix.cli import nagios

        click.echo(nagios.line_of(nagios.UNKNOWN, message))
        return nagios.UNKNOWN
    return exit_code
