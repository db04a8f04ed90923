"""``replfix advise``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from replfix.cli.client_options import client_options
from replfix.cli.options import AlsoBefore, both_given, common_options, configured_names
from replfix.cli.output import emit, narrate, show_page
from replfix.errors import UsageError

if TYPE_CHECKING:
    from replfix.cli.documents.earlier_advice import EarlierAdvice
    from replfix.config import Config, Target
    from replfix.core.advisor.changes import Changes
    from replfix.core.advisor.survey import Report
    from replfix.present.page.advice_page import Advice

CONFLICTS = 3


@click.command(
    "advise",
    epilog="""\b
Examples:
  replfix advise                                   every configured server
  replfix advise db1 db2
  replfix advise --replica mysql://dba@10.0.0.1 --json
  replfix advise --writers 3                       with a plan for three servers that write
  replfix advise --format html > keys.html
  replfix advise --since last-week.json
\b
Exit codes: 0 nothing to do · 3 something needs doing · 6 a server cannot be reached""",
)
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=configured_names)
@click.option(
    "--replica",
    "urls",
    cls=AlsoBefore,
    metavar="URL",
    multiple=True,
    help="A server that is not configured: mysql://user:password@host:port. Can be given several times.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "markdown", "html", "json"]),
    default="text",
    help="text (the default), markdown, html (one file, without scripts) or json.",
)
@click.option(
    "--writers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Plan increment and offsets for N servers that write. Without it for those found, where that changes anything.",
)
@click.option(
    "--since",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="An earlier report, as --format json wrote it: say what is new, graver and gone.",
)
@client_options
@common_options
def command(
    names: tuple[str, ...],
    urls: tuple[str, ...],
    format_: str,
    writers: int | None,
    since: str | None,
    config_path: str | None,
    as_json: bool,
    verbose: bool,
) -> int:
    """Say how servers that write keep their keys apart, and what is wrong with that. Reads only.

    It reads the servers that are named, or all that are configured, and those that they replicate from: who writes,
    auto_increment_increment and auto_increment_offset, counters, and the unique keys that these do not protect.
    """
    from replfix.cli.documents.advise import advise_document
    from replfix.config import load
    from replfix.core.advisor.rollout import groups_of, rollout
    from replfix.present.page.advice_page import Advice

    if as_json and format_ not in ("text", "json"):
        raise both_given("--json", f"--format {format_}")
    earlier = None if since is None else _earlier(since)
    config = load(config_path)
    report = _read(
        config, _targets(config, names, urls), verbose=verbose, all_of_them=bool(names or urls or config.names_a_server)
    )
    plan = rollout(report.survey, writers)
    shown = plan if plan is not None and (plan.actions or writers is not None) else None
    if len(groups := groups_of(report.survey)) > 1:
        narrate(f"No plan for {len(groups)} groups of servers that write: name the servers of one group to see one.")
    changes = None if earlier is None else _changes(earlier, report)
    if as_json or format_ == "json":
        emit(advise_document(report, shown, changes))
    else:
        _write(Advice(report, changes, shown), format_)
    return CONFLICTS if report.needs_doing else 0


def _write(advice: Advice, format_: str) -> None:
    from replfix.present.page.advice_page import advice_page

    found = advice_page(advice)
    if format_ == "markdown":
        from replfix.present.page.markdown_page import markdown

        click.echo(markdown(found), nl=False)
    elif format_ == "html":
        from replfix.present.page.html_page import html

        click.echo(html(found))
    else:
        show_page(found)


def _earlier(path: str) -> EarlierAdvice:
    from pathlib import Path

    from pydantic import ValidationError

    from replfix.cli.documents.earlier_advice import EarlierAdvice

    try:
        return EarlierAdvice.model_validate_json(Path(path).read_bytes())
    except OSError as error:
        raise UsageError(
            f"--since: cannot read {path}: {error.strerror}.", "Name a file of an earlier report."
        ) from None
    except ValidationError:
        raise UsageError(
            f"--since: {path} is no report of replfix advise, or one that this version does not know.",
            "Keep reports with: replfix advise --format json > FILE",
        ) from None


def _changes(earlier: EarlierAdvice, report: Report) -> Changes:
    from replfix.core.advisor.changes import compare, marks

    return compare(
        earlier.read_at,
        earlier.marks(),
        marks(report.findings),
        servers_earlier=[node.name for node in earlier.nodes],
        servers_now=[node.name for node in report.survey.nodes],
    )


def _targets(config: Config, names: tuple[str, ...], urls: tuple[str, ...]) -> list[Target]:
    if names:
        config.check_not_addressed("A name")
    given = [*map(config.server, names), *(config.target(replica_url=url) for url in urls)]
    targets = given or config.servers()
    if not targets:
        raise UsageError(
            "Which servers? None is configured.",
            "Give --replica mysql://user@host:port, or name them in replfix.toml.",
        )
    return targets


def _read(config: Config, targets: list[Target], *, verbose: bool, all_of_them: bool) -> Report:
    from replfix.cli.open_servers import agree, ask_password
    from replfix.wiring.servers import TopologyConnections
    from replfix.workflow.advise.read_topology import advise

    for warning in config.warnings:
        narrate(f"Warning: {warning}")
    with TopologyConnections(config, ask_password, agree) as servers:
        given = [servers.open(target) for target in targets]
        return advise(
            given, servers.source_of, datetime.now(UTC), narrate if verbose else lambda _: None, all_of_them=all_of_them
        )
