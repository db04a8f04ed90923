"""Opens the terminal UI: on what is configured, on one replica given by URL, or on a lab made for the occasion."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from replfix.cli.lab_text import PROOF, stays_up, stopped_with
from replfix.cli.options import source_of_several
from replfix.cli.output import narrate
from replfix.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from replfix.config import Config, Target
    from replfix.core.connection.endpoint import Endpoint
    from replfix.lab.proof import Snapshot
    from replfix.lab.topology import Lab

DEMO_LAB = "demo"
DEMO_SCENARIO = "duplicate-primary"


def scenario_names(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the scenarios that begin with ``incomplete``, for the shell's completion."""
    from replfix.lab import scenarios

    return [name for name in scenarios.names() if name.startswith(incomplete)]


def on_terminal() -> bool:
    """Return whether stdin and stdout are a terminal, without which nothing can be drawn."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def open_tui(config_path: str | None, urls: tuple[str, ...], source_url: str | None, *, animate: bool = True) -> int:
    """Run the terminal UI until the user leaves it; return the exit code.

    UsageError without a terminal, ConfigError without a replica.
    """
    _need_terminal()
    from replfix.config import load

    config = load(config_path)
    return _open(config, _targets(config, urls, source_url), animate)


def open_demo(
    scenario: str, *, server: str | None = None, mysqld: str | None = None, keep: bool = False, animate: bool = True
) -> int:
    """Start the lab named demo, break it, open the terminal UI on it; then report the lab's state, and end it."""
    _need_terminal()
    from replfix.config import load
    from replfix.lab import scenarios, topology
    from replfix.lab.narration import Lines, Quiet
    from replfix.lab.proof import snapshot
    from replfix.lab.staging import stage

    chosen = scenarios.find(scenario)
    narrator = Lines()
    _end_in_order_on_hangup()
    lab = topology.up(DEMO_LAB, 1, mysqld, narrator, server=server)
    try:
        error = stage(lab, chosen, narrator, reset=True)
        before = snapshot(lab.replica)
        narrate(f"{stopped_with(lab.replica.name, error.errno)}: opening the terminal UI on it.")
        config = load(str(lab.config_file))
        failed = _open(config, _targets(config, (), None), animate)
        return failed or _say_how_it_stands(lab, before)
    finally:
        if keep:
            narrate(stays_up(f"replfix --config {lab.config_file}", DEMO_LAB))
        else:
            topology.down(DEMO_LAB, narrator if sys.stderr.isatty() else Quiet())


def _end_in_order_on_hangup() -> None:
    """Exit in order when the terminal is closed: the signal would end the process at once, and the servers would stay."""

    def leave(number: int, _: object) -> None:
        sys.exit(128 + number)

    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, leave)


def _need_terminal() -> None:
    if not on_terminal():
        raise UsageError(
            "The terminal UI needs a terminal on stdin and stdout.",
            "In scripts use the commands: replfix --help lists them, and 'replfix lab demo' plays a demo without one.",
        )


def _targets(config: Config, urls: tuple[str, ...], source_url: str | None) -> list[Target]:
    if len(urls) > 1 and source_url is not None:
        raise source_of_several()
    if urls:
        return [config.target(replica_url=url, source_url=source_url) for url in urls]
    targets = config.targets()
    if not targets:
        where = config.path or "replfix.toml"
        raise ConfigError(
            "No replica is configured, so there is nothing to show.",
            f"Give --replica mysql://user@host:port, or add a [replicas.NAME] section to {where}. To look around without "
            "servers of your own: replfix --demo. All commands: replfix --help.",
        )
    if source_url is None:
        return targets
    if len(targets) > 1:
        raise UsageError("--source was given, and several replicas are configured.", "Give it with --replica URL.")
    return [config.target(source_url=source_url)]


def _open(config: Config, targets: list[Target], animate: bool) -> int:
    from replfix.tui.app import ReplfixApp, checked
    from replfix.tui.backend import WiredBackend

    settings = checked(config.file.tui)
    asking = _Asking()
    backend = WiredBackend(config, [asking.with_source(target) for target in targets], asking)
    for warning in config.warnings:
        narrate(f"Warning: {warning}")
    try:
        app = ReplfixApp(backend, animate=animate, settings=settings)
        with _drawing_on_the_terminal():
            app.run()
    finally:
        backend.close()
    return app.return_code or 0


@contextmanager
def _drawing_on_the_terminal() -> Iterator[None]:
    """Let Textual draw on stdout, which is a terminal here.

    It draws on the stderr that the process began with, which may be a file.
    """
    began_with = sys.__stderr__
    if began_with is None or not began_with.isatty():
        sys.__stderr__ = sys.__stdout__  # type: ignore[misc]
    try:
        yield
    finally:
        sys.__stderr__ = began_with  # type: ignore[misc]


class _Asking:
    """Questions for passwords before the screen is taken over, once for each account; Enter repeats the last answer."""

    def __init__(self) -> None:
        self._answers: dict[str, str | None] = {}
        self._last: str | None = None

    def __call__(self, endpoint: Endpoint) -> str | None:
        account = f"{endpoint.user}@{endpoint}"
        if account not in self._answers:
            if self._last:
                narrate("(Enter alone: the same password as before.)")
            from replfix.cli.open_servers import ask_password

            self._last = self._answers[account] = ask_password(endpoint) or self._last
        return self._answers[account]

    def with_source(self, target: Target) -> Target:
        """Return the target with a password for the source that is configured for it, like ``wiring`` does for the replica."""
        from replfix.core.connection.endpoint import Secret
        from replfix.wiring.servers import with_account

        target = with_account(target, self)
        source = target.source
        if source is None or source.user is None or source.password is not None:
            return target
        answer = self(source)
        return target if answer is None else replace(target, source=replace(source, password=Secret(answer)))


def _say_how_it_stands(lab: Lab, before: Snapshot) -> int:
    """Report the state in words after the user has left; return the exit code.

    0 when the channel is still stopped, for leaving is no failure.
    """
    from replfix.lab.proof import prove
    from replfix.lab.replicate import channel_state
    from replfix.present.safe_text import visible

    with lab.replica.session() as session:
        state = channel_state(session)
    if state is None or not state.applier_running:
        why = f" with error {state.error.errno}" if state is not None and state.error is not None else ""
        click.echo(f"■ {lab.replica.name} is still stopped{why}: it was left as it is.")
        return 0
    proof = prove(lab.source, lab.replica, before)
    holds = all(part.holds for part in proof)
    click.echo(click.style(PROOF, bold=True))
    for part in proof:
        click.echo(visible(f"  {'✔' if part.holds else '✘'} {part.what}: {part.seen}"))
    click.echo("Every part of it holds." if holds else "Not every part of it holds.")
    return 0 if holds else 5
