"""``replfix advise``."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from replfix.cli.options import common_options, configured_names
from replfix.cli.output import emit, narrate, page

if TYPE_CHECKING:
    from replfix.config import Config, Target
    from replfix.core.advisor.survey import Report

CONFLICTS = 3
FOUND = 0  # --writers found


class Writers(click.ParamType[int]):
    """A number of servers, or those that are found to write."""

    name = "N|found"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if value == "found":
            return FOUND
        if not isinstance(value, str) or not re.fullmatch("[1-9][0-9]{0,5}", value):
            self.fail(f"{value!r} is neither a number of servers nor 'found'.", param, ctx)
        return int(value)


@click.command(
    "advise",
    epilog="""\b
Examples:
  replfix advise                                   every configured server
  replfix advise db1 db2
  replfix advise --replica mysql://dba@10.0.0.1 --json
  replfix advise --writers 3                       and a plan for three servers that write
\b
Exit codes: 0 nothing to do · 3 something needs doing · 6 a server cannot be reached""",
)
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=configured_names)
@click.option(
    "--replica",
    "urls",
    metavar="URL",
    multiple=True,
    help="A server that is not configured: mysql://user:password@host:port. Can be given several times.",
)
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", help="text (the default) or json."
)
@click.option(
    "--writers",
    type=Writers(),
    metavar="N|found",
    help="Plan increment and offsets for N servers that write, or for those found: who gets what, in which order.",
)
@common_options
def command(
    names: tuple[str, ...],
    urls: tuple[str, ...],
    format_: str,
    writers: int | None,
    config_path: str | None,
    as_json: bool,
    verbose: bool,
) -> int:
    """Say how servers that write keep their keys apart, and what is wrong with that. Reads only.

    It reads the servers that are named, or all that are configured, and those that they replicate from: who writes,
    auto_increment_increment and auto_increment_offset, counters, and the unique keys that these do not protect.
    """
    from replfix.cli.advise_text import text_of
    from replfix.cli.documents.advise import advise_document
    from replfix.config import load
    from replfix.core.advisor.rollout import rollout

    config = load(config_path)
    report = _read(config, _targets(config, names, urls), verbose=verbose)
    plan = None if writers is None else rollout(report.survey, writers or None)
    if as_json or format_ == "json":
        emit(advise_document(report, plan))
    else:
        page(text_of(report, plan))
        if writers == FOUND and plan is None:
            narrate("Fewer than two servers write: there is nothing to keep apart. --writers N plans for more.")
    return CONFLICTS if report.needs_doing else 0


def _targets(config: Config, names: tuple[str, ...], urls: tuple[str, ...]) -> list[Target]:
    from replfix.errors import UsageError

    given = [*map(config.server, names), *(config.target(replica_url=url) for url in urls)]
    targets = given or config.servers()
    if not targets:
        raise UsageError(
            "Which servers? None is configured.",
            "Give --replica mysql://user@host:port, or name them in replfix.toml.",
        )
    return targets


def _read(config: Config, targets: list[Target], *, verbose: bool) -> Report:
    from replfix.cli.opening import ask_password
    from replfix.wiring import Surveyed
    from replfix.workflow.advise import advise

    for warning in config.warnings:
        narrate(f"Warning: {warning}")
    with Surveyed(config, ask_password) as servers:
        given = [servers.open(target) for target in targets]
        return advise(given, servers.source_of, datetime.now(UTC), narrate if verbose else lambda _: None)
