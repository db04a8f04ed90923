"""``replfix lab``: throw-away real servers, and ways to break their replication."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from replfix.cli.commands.lab_demo import command as demo
from replfix.cli.groups import CommandGroup
from replfix.cli.lab_text import stopped_with
from replfix.cli.options import common_options, server_option

if TYPE_CHECKING:
    from replfix.lab.narration import Narrator
    from replfix.lab.topology import Lab, ServerState

F = TypeVar("F", bound=Callable[..., Any])

UNHEALTHY = 3


def _lab_names(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    from replfix.lab import topology

    return [name for name in topology.names() if name.startswith(incomplete)]


def _scenario_names(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    from replfix.lab import scenarios

    return [name for name in scenarios.names() if name.startswith(incomplete)]


def name_option(function: F) -> F:
    """Add ``--name``: which lab, ``default`` without it."""
    return click.option(
        "--name",
        default="default",
        show_default=True,
        metavar="NAME",
        shell_complete=_lab_names,
        help="Which lab; several can be up side by side.",
    )(function)


@click.group(
    "lab",
    cls=CommandGroup,
    epilog="""\b
Examples:
  replfix lab demo
  replfix lab up --replicas 2
  replfix lab up --name maria --server mariadb
  replfix lab up --name many --topology multi-source
  replfix lab break duplicate-primary
  replfix lab down""",
)
def command() -> None:
    """Throw-away real servers, to try replfix on and to train with.

    A lab is a MySQL or MariaDB source and its replicas on this machine: reachable from here only, up in seconds, and gone without
    a trace after 'lab down'.
    """


command.add_command(demo)


@command.command(
    "up",
    epilog="""\b
Examples:
  replfix lab up --replicas 2
  replfix lab up --name maria --server mariadb""",
)
@name_option
@click.option("--replicas", type=int, metavar="N", help="How many replicas (default 1).")
@server_option
@click.option("--topology", metavar="NAME", help="pair (default), chain, dual-primary, multi-source, no-gtid or ring.")
@click.option("--as-shipped", is_flag=True, help="Leave replication settings as the servers ship with them.")
@click.option("--mysqld", metavar="PATH", help="Use this server program.")
@common_options
def up(
    name: str,
    replicas: int | None,
    server: str | None,
    topology: str | None,
    as_shipped: bool,
    mysqld: str | None,
    as_json: bool,
    **_: object,
) -> None:
    """Start a source and its replicas.

    The servers come from, in this order: --mysqld; mysqld (or mariadbd) on PATH; Docker, where an engine answers (with the package
    testcontainers); the distribution's packages, fetched once and unpacked into the cache directory, without root.
    A lab that is up is left alone; one with dead servers is started again.
    """
    from replfix.lab.topology import up as start

    lab = start(name, replicas, mysqld, _narrator(), server=server, topology=topology, as_shipped=as_shipped)
    states = lab.states()
    if as_json:
        _emit(lab, states)
        return
    _show(lab, states)
    if lab.topology != "pair":
        _next(
            (f"replfix status --config {_quoted(lab)}", "how it stands"),
            (f"replfix lab down{_name(lab)}", "end and remove it"),
        )
        return
    _next(
        (f"replfix lab break duplicate-primary{_name(lab)}", "break its replication (without a scenario: lists them)"),
        (f"replfix status --config {_quoted(lab)}", "how it stands"),
        (f"replfix diagnose replica1 --config {_quoted(lab)}", "what is wrong, read-only"),
        (f"replfix resolve replica1 --config {_quoted(lab)}", "repair it"),
        (f"replfix lab down{_name(lab)}", "end and remove it"),
    )


@command.command(
    "break",
    epilog="""\b
Examples:
  replfix lab break                                lists the scenarios
  replfix lab break duplicate-primary --reset""",
)
@click.argument("scenario", required=False, shell_complete=_scenario_names)
@name_option
@click.option("--reset", is_flag=True, help="Start from servers as good as new: all of their data is dropped.")
@common_options
def break_(scenario: str | None, name: str, reset: bool, as_json: bool, **_: object) -> None:
    """Break replication; lists the scenarios without one."""
    from replfix.lab import scenarios

    if scenario is None:
        _list_scenarios(as_json)
        return
    chosen = scenarios.find(scenario)
    from replfix.lab.staging import stage
    from replfix.lab.topology import Lab

    lab = Lab.load(name)
    error = stage(lab, chosen, _narrator(), reset=reset)
    if as_json:
        _emit(lab, lab.states(), chosen.name)
        return
    from replfix.present.safe_text import visible

    click.echo(f"{chosen.title}\n")
    click.echo(click.wrap_text(chosen.story, 100, "  ", "  "))
    click.echo(f"\n{stopped_with(lab.replica.name, error.errno)}:")
    click.echo(click.wrap_text(visible(error.message), 100, "  ", "  "))
    _next(
        (f"replfix diagnose replica1 --config {_quoted(lab)}", "what is wrong, read-only"),
        (f"replfix resolve replica1 --dry-run --config {_quoted(lab)}", "plan and rehearse, change nothing"),
        (f"replfix resolve replica1 --config {_quoted(lab)}", "repair it"),
    )


@command.command(
    "status",
    epilog="""\b
Examples:
  replfix lab status
  replfix lab status --name maria --json
\b
Exit codes: 0 all is well · 2 no such lab · 3 a server is down or a channel is stopped""",
)
@name_option
@common_options
def status(name: str, as_json: bool, **_: object) -> int:
    """How a lab's servers and channels stand."""
    from replfix.lab.topology import Lab

    lab = Lab.load(name)
    states = lab.states()
    if as_json:
        _emit(lab, states)
    else:
        _show(lab, states)
    healthy = all(
        s.up and (s.channel is None or (s.channel.receiver_running and s.channel.applier_running)) for s in states
    )
    return 0 if healthy else UNHEALTHY


@command.command(
    "down",
    epilog="""\b
Examples:
  replfix lab down --name maria""",
)
@name_option
@common_options
def down(name: str, as_json: bool, **_: object) -> None:
    """End a lab and remove all of it.

    Works after a crash or a reboot too, and ends only servers that run on this lab's own data directories.
    """
    from replfix.lab import topology

    directory = topology.directory_of(name)
    there = topology.down(name, _narrator())
    if as_json:
        from replfix.cli.documents.lab import LabDocument
        from replfix.cli.output import emit

        emit(LabDocument(name=name, directory=str(directory), config=None, servers_from=None, servers=[]))
    else:
        click.echo(f"The lab {name!r} is gone." if there else f"There is no lab {name!r}: nothing to do.")


def _narrator() -> Narrator:
    from replfix.cli.output import narrate
    from replfix.lab.narration import Lines

    class Told(Lines):
        def say(self, text: str) -> None:
            narrate(text)  # apt's and mysqld's words are not ours: control characters are spelt out

    return Told()


def _emit(lab: Lab, states: tuple[ServerState, ...], scenario: str | None = None) -> None:
    from replfix.cli.documents.lab import LabDocument
    from replfix.cli.output import emit

    emit(LabDocument.of(lab, states, scenario))


def _show(lab: Lab, states: tuple[ServerState, ...]) -> None:
    from replfix.core.schema.tested_versions import untested
    from replfix.present.safe_text import visible

    rows = [("SERVER", "ADDRESS", "STATE", "VERSION", "READ ONLY", "CHANNEL")]
    for state in states:
        read_only = "super" if state.super_read_only else "yes" if state.read_only else "no"
        rows.append(
            (
                state.server.name,
                f"{state.server.host}:{state.server.port}",
                "up" if state.up else "DOWN",
                state.version or "-",
                read_only if state.up else "-",
                _channel(state),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    product = lab.provision.flavour.product
    for said in dict.fromkeys(untested(product, state.version) for state in states if state.version is not None):
        if said:
            click.echo(visible(said))
    click.echo(
        visible(f"Accounts: replfix/replfix (what replfix needs), admin/admin. Configuration: {lab.config_file}")
    )
    for state in states:
        if state.channel is not None and state.channel.error is not None:
            click.echo(f"{state.server.name}: {visible(state.channel.error.message)}")


def _channel(state: ServerState) -> str:
    channel = state.channel
    if channel is None:
        return "-"
    if channel.error is not None:
        return f"STOPPED, error {channel.error.errno}"
    if not channel.applier_running:
        return "STOPPED"
    return "running" if channel.receiver_running else "RECEIVER NOT CONNECTED"


def _list_scenarios(as_json: bool) -> None:
    from replfix.lab import scenarios

    every = scenarios.every()
    if as_json:
        from replfix.cli.documents.lab import LabScenario, LabScenariosDocument
        from replfix.cli.output import emit

        emit(LabScenariosDocument(scenarios=[LabScenario.of(scenario) for scenario in every]))
        return
    for scenario in every:
        click.echo(f"{scenario.name}: {scenario.title} (error {scenario.expects.errno})")
        click.echo(click.wrap_text(scenario.story, 100, "    ", "    ") + "\n")
    click.echo("Stage one with: replfix lab break SCENARIO")


def _next(*lines: tuple[str, str]) -> None:
    click.echo("\nNext:")
    for text, why in lines:
        click.echo(f"  {text}\n      {why}")


def _name(lab: Lab) -> str:
    return "" if lab.name == "default" else f" --name {lab.name}"


def _quoted(lab: Lab) -> str:
    import shlex

    return shlex.quote(str(lab.config_file))
