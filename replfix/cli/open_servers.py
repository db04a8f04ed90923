"""From the options of a command to connected servers, the same for every command that needs some."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from replfix.cli.output import narrate
from replfix.cli.stdio import ReaderGone
from replfix.core.connection.endpoint import Endpoint
from replfix.errors import UsageError
from replfix.present.safe_text import visible

if TYPE_CHECKING:
    from replfix.audit import SqlTrail
    from replfix.cli.options import ReplicaSelector
    from replfix.config import Config
    from replfix.core.connection.postgresql_server import PostgresqlServer
    from replfix.wiring.servers import TargetConnections
    from replfix.workflow.explain.explanations import Asking


def open_target(config: Config, meant: ReplicaSelector) -> TargetConnections:
    """Return the replica that the command line names, not connected yet.

    UsageError and ConfigError as ``Config.target``; where none is named of several, it says which ones are stopped.
    """
    from replfix.wiring.stopped_replicas import stopped_replicas

    if not meant.named and len(targets := config.targets()) > 1:
        raise UsageError(
            "Which replica?",
            f"Give a name. {stopped_replicas(targets)} Configured: {', '.join(target.name for target in targets)}.".replace(
                "  ", " "
            ),
        )
    return _opened(config, [meant])[0]


def open_targets(config: Config, meant: Sequence[ReplicaSelector]) -> list[TargetConnections]:
    """Return the replicas that the command line names, else all that are configured, not connected yet."""
    if len(meant) == 1 and not meant[0].named and len(targets := config.targets()) > 1:
        meant = [replace(meant[0], name=target.name) for target in targets]
    return _opened(config, meant)


def _opened(config: Config, meant: Sequence[ReplicaSelector]) -> list[TargetConnections]:
    from replfix.wiring.servers import TargetConnections

    targets = [config.target(m.name, m.replica_url, m.source_url, m.channel, m.source_uuid) for m in meant]
    for warning in (*config.warnings, *(seen for each in meant for seen in _seen_by_others(each))):
        narrate(f"Warning: {warning}")
    return [TargetConnections(target, ask_password, agree) for target in targets]


@contextmanager
def open_inquiry(config: Config, meant: ReplicaSelector) -> Iterator[Asking]:
    """Yield what ``explain`` asks the server that the command line names, not connected yet. Errors as ``open_target``."""
    from replfix.wiring.servers import postgresql_inquiry
    from replfix.workflow.explain.explanations import Asking

    server = config.postgresql(meant.name, meant.replica_url)
    if server is None:
        with open_target(config, meant) as wired:
            yield Asking(mysql=wired.replica.inquiry())
        return
    if meant.name is not None and meant.replica_url is not None:
        raise UsageError("A name and --replica were given.", "Give one of them.")
    config.check_not_addressed("A PostgreSQL server")
    if server.has_password and meant.replica_url is not None and sys.stderr.isatty():
        narrate(f"Warning: {_SEEN.format(option='--replica', file='~/.pgpass')}")
    with postgresql_inquiry(server, ask_postgresql_password) as inquiry:
        yield Asking(postgresql=inquiry)


def trail_to_write(config: Config) -> AbstractContextManager[SqlTrail]:
    """Open the trail as ``trails.trail_to_write`` does; what ends a command on purpose is no bug.

    The output of the command belongs inside the ``with``.
    """
    from replfix.wiring import trails

    expected = (ReaderGone, click.ClickException, click.Abort, click.exceptions.Exit)
    return trails.trail_to_write(config, narrate, expected)


def _seen_by_others(meant: ReplicaSelector) -> Iterator[str]:
    """Yield warnings, on a terminal only: whoever wrote a script has decided."""
    if not sys.stderr.isatty():
        return
    for option, url in (("--replica", meant.replica_url), ("--source", meant.source_url)):
        if url is not None and "://" in url and Endpoint.parse(url).password is not None:
            yield _SEEN.format(option=option, file="~/.my.cnf")


_SEEN = (
    "the password in {option} is seen by every user of this host while the command runs (ps). Left out of the URL, it is asked "
    "for, or read from {file}."
)


def agree(question: str) -> bool:
    """Ask at the terminal, and take nothing but yes; --yes is no answer to it."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    answer: str = click.prompt(f"{visible(question)} (yes/no)", default="no", show_default=False, err=True)
    return answer.strip().lower() == "yes"


def ask_password(endpoint: Endpoint) -> str | None:
    """Ask at the terminal; None without one: the server then decides whether the account needs a password."""
    return _asked(f"{endpoint.user} at {endpoint}")


def ask_postgresql_password(server: PostgresqlServer) -> str | None:
    """Ask at the terminal, after the server wanted a password; None without one."""
    return _asked(visible(f"{server.user} at {server}" if server.user else str(server)))


def _asked(account: str) -> str | None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    answer: str = click.prompt(f"Password for {account}", hide_input=True, default="", show_default=False, err=True)
    return answer
