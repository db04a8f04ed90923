"""``replfix lab demo``: the whole story on real servers, with its proof."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING

import click

from replfix.cli.commands.tui import DEMO_LAB as NAME
from replfix.cli.commands.tui import scenario_names
from replfix.cli.lab_text import PROOF, stays_up
from replfix.cli.options import common_options, server_option

if TYPE_CHECKING:
    from replfix.lab.topology import Lab

_COMMANDS = (
    (("status",), 3),
    (("diagnose", "replica1"), 3),
    (("resolve", "replica1", "--dry-run"), 3),
    (("resolve", "replica1", "--yes"), 0),
    (("status",), 0),
    (("audit", "verify"), 0),
)
"""What is typed, and the exit code that it has to end with."""

DEFAULT_SCENARIO = "multi-row-transaction"


@click.command(
    "demo",
    epilog="""\b
Examples:
  replfix lab demo                                 in the terminal UI
  replfix lab demo --no-tui                        narrated, from the outage to the proof
  replfix lab demo --scenario two-writers --keep
  replfix lab demo --server mariadb""",
)
@click.option(
    "--scenario",
    default=DEFAULT_SCENARIO,
    show_default=True,
    metavar="NAME",
    shell_complete=scenario_names,
    help="What happens; 'replfix lab break' lists them.",
)
@server_option
@click.option("--mysqld", metavar="PATH", help="Use this server program.")
@click.option("--keep", is_flag=True, help="Leave the servers up afterwards.")
@click.option("--no-tui", is_flag=True, help="Play it by itself on a terminal too.")
@common_options
def command(
    scenario: str,
    server: str | None,
    mysqld: str | None,
    keep: bool,
    no_tui: bool,
    config_path: str | None,  # noqa: ARG001
    as_json: bool,
    verbose: bool,  # noqa: ARG001
) -> int:
    """Start servers, break replication, diagnose, resolve, and prove it.

    Everything is real: a source and a replica on this machine, one failing transaction, and at the end a look at both
    servers with plain SQL. On a terminal it opens the terminal UI on the broken replica, and you resolve it there (or
    not); with --no-tui, --json or without a terminal the commands are played one after the other. Ends with 0 only when
    every part of the proof holds, or when you left the replica stopped.
    """
    from replfix.cli.commands.tui import on_terminal, open_demo

    if not (as_json or no_tui) and on_terminal():
        return open_demo(scenario, server=server, mysqld=mysqld, keep=keep)
    from replfix.cli.output import narrate
    from replfix.lab import scenarios, topology
    from replfix.lab.narration import Lines
    from replfix.lab.staging import stage

    chosen = scenarios.find(scenario)
    narrator = Lines()
    lab = topology.up(NAME, 1, mysqld, narrator, server=server)
    try:
        _heading(as_json, f"{chosen.title}", chosen.story)
        stage(lab, chosen, narrator, reset=True)
        return _play(lab, as_json)
    finally:
        if keep:
            narrate(stays_up(f"replfix lab status --name {NAME}", NAME))
        else:
            topology.down(NAME, narrator)


def _play(lab: Lab, as_json: bool) -> int:
    """Diagnose and resolve with the very commands that a user types, then show the proof."""
    from replfix.cli.documents.lab import DemoDocument
    from replfix.cli.output import emit
    from replfix.lab.proof import prove, snapshot

    before = snapshot(lab.replica)
    with contextlib.redirect_stdout(io.StringIO()) if as_json else contextlib.nullcontext():
        as_expected = all(_typed((*args, "--config", str(lab.config_file))) == code for args, code in _COMMANDS)
    proof = prove(lab.source, lab.replica, before)
    if as_json:
        emit(DemoDocument.of(as_expected, proof))
    else:
        _heading(False, PROOF, "")
        for part in proof:
            click.echo(f"  {'✔' if part.holds else '✘'} {part.what}: {part.seen}")
    return 0 if as_expected and all(part.holds for part in proof) else 5


def _typed(args: tuple[str, ...]) -> int:
    from replfix.cli.app import run

    click.echo(click.style(f"\n$ replfix {' '.join(args)}", bold=True))
    return run(args)


def _heading(as_json: bool, title: str, text: str) -> None:
    if as_json:
        return
    click.echo(f"\n{click.style(title, bold=True)}")
    if text:
        click.echo(click.wrap_text(text, 100, "  ", "  "))
