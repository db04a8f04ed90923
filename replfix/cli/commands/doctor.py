"""``replfix doctor``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from replfix.cli.options import ReplicaSelector, common_options, replicas_options
from replfix.cli.output import emit, print_page
from replfix.present.safe_text import visible

if TYPE_CHECKING:
    from replfix.config import Config
    from replfix.core.diagnosis.finding import Finding
    from replfix.wiring.servers import TargetConnections


@click.command(
    "doctor",
    epilog="""\b
Examples:
  replfix doctor                                   every configured replica
  replfix doctor db2
  replfix doctor -h 10.0.0.2 -u dba -p --json
\b
Exit codes: 0 everything that replfix does will work · 6 something will not""",
)
@replicas_options
@common_options
def command(
    meant: tuple[ReplicaSelector, ...],
    config_path: str | None,
    as_json: bool,
    verbose: bool,  # noqa: ARG001
) -> int:
    """Check that replfix can reach everything, what the privileges allow, and that the settings fit. Reads only.

    Of every configured replica, or of one, and of its sources. A missing privilege is named with the GRANT that gives it.
    """
    from replfix.cli.documents.doctor import doctor_document
    from replfix.cli.open_servers import open_targets
    from replfix.config import load
    from replfix.core.diagnosis.finding import Severity
    from replfix.errors import ConnectError

    config = load(config_path)
    checked: list[tuple[str, Finding]] = []
    opened = open_targets(config, meant)
    for name, check in _all(config, opened):
        if not as_json:
            if len(opened) > 1 and (not checked or checked[-1][0] != name):
                click.secho(f"{visible(name)}:", bold=True)
            _print(check)
        checked.append((name, check))
    if as_json:
        emit(doctor_document(checked))
    return ConnectError.exit_code if any(c.severity is Severity.CRITICAL for _, c in checked) else 0


def _all(config: Config, opened: list[TargetConnections]) -> Iterator[tuple[str, Finding]]:
    from replfix.core.diagnosis.finding import Finding, Severity
    from replfix.core.remedies.remedy import to_do
    from replfix.errors import ReplfixError

    for wired in opened:
        with wired:
            try:
                for check in _checks(wired, config):
                    yield wired.target.name, check
            except ReplfixError as error:
                if len(opened) == 1:
                    raise
                yield (
                    wired.target.name,
                    Finding("replica-reachable", Severity.CRITICAL, error.message, fixes=to_do(error.hint)),
                )


def _checks(wired: TargetConnections, config: Config) -> Iterator[Finding]:
    from replfix.wiring.trails import check_trail
    from replfix.workflow.doctor.check_replica import examine

    yield from examine(wired.replica, wired.source_of, wired.target.channel)
    yield from check_trail(config, wired.replica)


def _print(check: Finding) -> None:
    from replfix.present.page.judgement_blocks import CHECKED, finding_blocks
    from replfix.present.page.page_model import Page, Section, Sentence, strong, words

    fixes = (Sentence(words(strong(line)), level=1) for fix in check.fixes for line in fix.text.splitlines())
    print_page(Page((Section((), (*finding_blocks(check, CHECKED), *fixes)),)))
