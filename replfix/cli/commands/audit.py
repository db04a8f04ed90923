"""``replfix audit``: read, verify and export the audit trail."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from replfix.cli.groups import CommandGroup
from replfix.cli.options import common_options

if TYPE_CHECKING:
    from replfix.audit import SqlTrail
    from replfix.core.trail.audit_record import AuditRecord, Verification
    from replfix.core.trail.trail_anchor import Anchor

F = TypeVar("F", bound=Callable[..., Any])

BROKEN = 5  # the exit code for a trail that is not whole
SHOWN_BREAKS = 20
_AGO = re.compile(r"(\d{1,6})([mhd])\Z")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def _moment(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime | None:
    """Return the time of ``2026-03-01``, ``2026-03-01T12:30`` (UTC without an offset), or ``30m``, ``2h``, ``7d``: so long ago."""
    if value is None:
        return None
    ago = _AGO.match(value)
    try:
        if ago:
            return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{value!r} is no time. Write 2026-03-01, 2026-03-01T12:30 (UTC), or 30m, 2h, 7d for ago."
        ) from None


def _selection(function: F) -> F:
    """Add ``--incident``, ``--replica`` and ``--since``; the texts match by their beginning."""
    function = click.option(
        "--since", metavar="TIME", callback=_moment, help="Records from then on: a UTC time, or 30m, 2h, 7d ago."
    )(function)
    function = click.option(
        "--replica", metavar="NAME", help="Records of that replica (or the beginning of its name)."
    )(function)
    return click.option("--incident", metavar="ID", help="Records of that incident (or the beginning of its id).")(
        function
    )


@click.group(
    cls=CommandGroup,
    epilog="""\b
Examples:
  replfix audit list --since 2h
  replfix audit show 3f2a9c
  replfix audit verify
  replfix audit anchor --to /mnt/vault/replfix.anchors
  replfix audit export --since 2026-03-01 --output march.jsonl
  replfix audit prune --before 365d --output 2025.jsonl""",
)
def command() -> None:
    """Read, verify, anchor, export and prune the record of everything that replfix changed."""


@command.command(
    "list", epilog="\b\nExamples:\n  replfix audit list\n  replfix audit list --kind intent --since 7d --json"
)
@_selection
@click.option(
    "--kind",
    type=click.Choice(["intent", "settings", "settings-restored", "outcome", "refused", "pruned"]),
    help="Records of that kind only.",
)
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many, the newest.")
@common_options
def list_(
    incident: str | None,
    replica: str | None,
    since: datetime | None,
    kind: str | None,
    limit: int,
    config_path: str | None,
    as_json: bool,
    verbose: bool,
) -> None:
    """The newest records, one line each, oldest first. A record's ID serves `audit show` and `undo`."""  # noqa: D401 - the help text
    from itertools import islice

    from replfix.core.trail.record_summary import with_results

    trail = _open(config_path, verbose)
    found = with_results(_select(trail, incident, replica, since, newest_first=True))
    records = list(islice((each for each in found if kind is None or each[0].kind == kind), limit))[::-1]
    if as_json:
        from replfix.cli.documents.audit import AuditList, RecordPart
        from replfix.cli.output import emit

        emit(AuditList(trail=trail.name, records=[RecordPart.of(record, result) for record, result in records]))
        return
    from replfix.cli.output import console, narrate

    if not records:
        narrate(f"No records in {trail.name}.")
        return
    from replfix.cli.audit_text import list_table

    out = console()
    out.print(list_table(records, out.width))


@command.command(epilog="\b\nExamples:\n  replfix audit show 3f2a9c\n  replfix audit show 3f2a9c41d07e --json")
@click.argument("record_id", metavar="ID")
@common_options
def show(record_id: str, config_path: str | None, as_json: bool, verbose: bool) -> None:
    """One record in full: when, who, the plan's SQL, the displaced rows, the SQL that takes it back.

    ID is the beginning of the record's hash, 4 digits or more, as far as no other begins so.
    """
    from replfix.errors import AuditError

    trail = _open(config_path, verbose)
    record = trail.get(record_id)
    try:
        _ = record.content
    except ValueError as error:
        raise AuditError(
            f"Record {record.id} of {trail.name} cannot be shown: {error}.",
            "It was altered: run 'replfix audit verify'.",
        ) from None
    if as_json:
        from replfix.cli.documents.audit import AuditRecordDocument
        from replfix.cli.output import emit

        emit(AuditRecordDocument.of(record))
        return
    from replfix.cli.output import print_page
    from replfix.present.page.record_page import record_page

    print_page(record_page(record))


@command.command(
    epilog="""\b
Examples:
  replfix audit verify
  replfix audit verify --anchor /mnt/vault/replfix.anchors
  replfix audit verify --file march.jsonl --head 3f2a9c41d07e
\b
Exit codes: 0 the trail is whole · 5 it is not"""
)
@click.option(
    "--file", "file", type=click.Path(dir_okay=False, path_type=Path), help="Verify this export in place of the trail."
)
@click.option("--head", "head_id", metavar="ID", help="With --file: the record that the export is known to end with.")
@click.option(
    "--anchor",
    "anchors",
    type=click.Path(dir_okay=False, path_type=Path),
    multiple=True,
    help="A file of anchors, or of a syslog that has some; those of the configuration are read too.",
)
@click.option(
    "--partial", is_flag=True, help="With --file: the export is a selection, so records between may be missing."
)
@common_options
def verify(
    file: Path | None,
    head_id: str | None,
    anchors: tuple[Path, ...],
    partial: bool,
    config_path: str | None,
    as_json: bool,
    verbose: bool,
) -> int:
    """Find every record that was changed, removed, added or moved, and name it."""
    from replfix.errors import UsageError

    if file is None:
        if head_id is not None or partial:
            raise UsageError("--head and --partial go with --file.", "The trail itself knows where it ends.")
        trail = _open(config_path, verbose)
        known, read = _anchors_of(trail, anchors, config_path)
        name, verification = trail.name, trail.verify(known)
    else:
        if anchors:
            raise UsageError("--anchor goes with the trail, not with --file.", "An export is held against --head ID.")
        known, read = [], []
        name, verification = str(file), _verify_file(file, head_id, partial, config_path)
    if as_json:
        from replfix.cli.documents.audit import AuditVerify
        from replfix.cli.output import emit

        emit(AuditVerify.of(name, verification, anchors=len(known), anchors_read=read))
    else:
        _print_verification(name, verification, len(known), read)
    return 0 if verification.whole else BROKEN


@command.command(
    epilog="""\b
Examples:
  replfix audit anchor                                      where [audit] anchor says
  replfix audit anchor --to /mnt/vault/replfix.anchors --to syslog
  replfix audit anchor --to mysql://replfix@audit-db.example.net/anchors
\b
Exit codes: 0 kept in every place · 4 not kept in one of them · 5 the trail is not whole, and was not anchored"""
)
@click.option(
    "--to",
    "places",
    metavar="PLACE",
    multiple=True,
    help="A file, syslog, or the URL of a database server, in place of those that the configuration names.",
)
@common_options
def anchor(places: tuple[str, ...], config_path: str | None, as_json: bool, verbose: bool) -> int:
    """Keep the head of the trail (its number, hash and time) outside of it.

    `audit verify` finds by it that the trail was cut off or written anew since. With [audit] anchor in the configuration it is done
    whenever something was added, too.
    """
    from replfix import config as configuration
    from replfix.cli.documents.audit import AnchorPart, AuditAnchor, BrokenPlacePart
    from replfix.cli.output import emit, narrate
    from replfix.errors import NotDone, NotVerified, ReplfixError, UsageError
    from replfix.wiring import trails

    config = configuration.load(config_path)
    config.check_may_write()
    where = trails.anchor_places(config, places)
    if not where:
        raise UsageError(
            "No place is named.", 'Give --to FILE, or name places in replfix.toml: [audit] anchor = ["…"].'
        )
    trail = _open(config_path, verbose)
    found = trail.verify()
    if found.first is not None:
        raise NotVerified(
            f"The trail is not whole: {found.first.message}.", "Its head was kept nowhere. See 'replfix audit verify'."
        )
    head = trail.anchor()
    kept: list[str] = []
    failed: list[BrokenPlacePart] = []
    if head is not None:
        for place in where:
            try:
                place.add(head)
                kept.append(place.name)
            except ReplfixError as error:
                failed.append(BrokenPlacePart(place=place.name, message=error.message, hint=error.hint))
    if as_json:
        part = None if head is None else AnchorPart.of(head)
        emit(AuditAnchor(trail=trail.name, anchor=part, kept=kept, failed=failed))
    for each in failed:
        narrate(f"Not kept in {each.place}: {each.message} {each.hint}")
    if head is None:
        narrate("The trail is empty: there is no head to keep.")
    elif kept:
        narrate(f"Record {head.seq} ({head.id}), where {trail.name} ends, is kept in {', '.join(kept)}.")
    return NotDone.exit_code if failed else 0


@command.command(
    epilog="""\b
Examples:
  replfix audit export > trail.jsonl
  replfix audit export --incident 7d1c0a --output incident.jsonl"""
)
@_selection
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write this file (mode 0600, complete or not at all) in place of stdout.",
)
@common_options
def export(
    incident: str | None,
    replica: str | None,
    since: datetime | None,
    output: Path | None,
    config_path: str | None,
    as_json: bool,
    verbose: bool,
) -> None:
    """Whole records as JSON lines, oldest first. `audit verify --file` verifies them.

    The lines are JSON already; with --output, --json prints a summary of what was written.
    """
    from replfix.audit.jsonl import to_line, write_file

    trail = _open(config_path, verbose)
    count, last = 0, ""

    def lines() -> Iterator[bytes]:
        nonlocal count, last
        for record in _select(trail, incident, replica, since):
            yield to_line(record)
            count, last = count + 1, record.id

    if output is None or str(output) == "-":
        for line in lines():
            sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
    else:
        write_file(output, lines(), not_over=trail.path)
        if as_json:
            from replfix.cli.documents.audit import AuditExport
            from replfix.cli.output import emit

            emit(AuditExport(trail=trail.name, output=str(output), records=count, last_id=last or None))
    from replfix.cli.output import narrate

    kept = f", the last is {last}: with 'audit verify --head {last}' a file cut short is noticed." if last else "."
    narrate(f"{count} record{'' if count == 1 else 's'} exported{kept}")


@command.command(
    epilog="""\b
Examples:
  replfix audit prune --before 365d --output 2025.jsonl
  replfix audit prune --before 2026-01-01 --output /archive/2025.jsonl --yes
\b
Exit codes: 0 done, or nothing to do · 4 not confirmed"""
)
@click.option(
    "--before",
    metavar="TIME",
    required=True,
    callback=_moment,
    help="Records from before then: a UTC time, or 365d ago.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Where the records go first (mode 0600). A file that is there is not written over.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@common_options
def prune(before: datetime, output: Path, yes: bool, config_path: str | None, as_json: bool, verbose: bool) -> None:
    """Export old records to a file, then take them out of the trail.

    The chain stays verifiable: a record tells which ones went, and the first that stays is chained to the last that
    went. Stories are never cut in two, and one that has not ended stays. What was pruned cannot be undone by replfix.
    """
    from replfix import config
    from replfix.cli.open_servers import trail_to_write
    from replfix.errors import UsageError

    if output.exists():
        raise UsageError(f"{output} is there already.", "Name a new file: it becomes the only place of those records.")
    with trail_to_write(config.load(config_path)) as trail:
        _prune(trail, before, output, yes=yes, as_json=as_json, verbose=verbose)


def _prune(trail: SqlTrail, before: datetime, output: Path, *, yes: bool, as_json: bool, verbose: bool) -> None:
    from replfix.audit.jsonl import to_line, write_file
    from replfix.cli.output import emit, narrate
    from replfix.core.words import CANCELLED
    from replfix.errors import NotDone

    if verbose:
        narrate(f"Audit trail: {trail.name}")
    last = trail.prunable(before)
    found = trail.verify() if last is not None else None
    if found is not None and found.first is not None:
        raise NotDone(
            f"The trail is not whole: {found.first.message}.", "Nothing was changed. See 'replfix audit verify'."
        )
    count = 0
    if last is not None:

        def lines() -> Iterator[bytes]:
            nonlocal count
            for record in trail.records(through=last.seq):
                yield to_line(record)
                count += 1

        question = f"Take the records up to {last.id} ({last.recorded_at}) out of {trail.name}, into {output}?"
        if not yes and not (sys.stdin.isatty() and click.confirm(question, default=False, err=True)):
            raise NotDone(CANCELLED, "Without a terminal, --yes confirms.")
        write_file(output, lines(), not_over=trail.path)
        trail.prune(last, {"before": before.isoformat(), "records": count})
    if as_json:
        from replfix.cli.documents.audit import AuditPrune

        emit(
            AuditPrune(
                trail=trail.name,
                output=str(output) if count else None,
                records=count,
                through=last.id if last else None,
            )
        )
    narrate(
        f"{count} record{'' if count == 1 else 's'} moved to {output}; the last is {last.id}."
        if last is not None
        else "No record is old enough to go."
    )


def _open(config_path: str | None, verbose: bool) -> SqlTrail:
    from replfix import config
    from replfix.cli.output import narrate
    from replfix.wiring import trails

    trail = trails.open_trail(config.load(config_path))
    if verbose:
        narrate(f"Audit trail: {trail.name}")
    return trail


def _select(
    trail: SqlTrail, incident: str | None, replica: str | None, since: datetime | None, *, newest_first: bool = False
) -> Iterator[AuditRecord]:
    for record in trail.records(since=since, newest_first=newest_first):
        if record.incident.startswith(incident or "") and record.replica.startswith(replica or ""):
            yield record


def _anchors_of(trail: SqlTrail, named: tuple[Path, ...], config_path: str | None) -> tuple[list[Anchor], list[str]]:
    """Return the anchors of this trail, and the places that were read.

    UsageError for a file without one, which would prove nothing.
    """
    from replfix import config
    from replfix.cli.output import narrate
    from replfix.errors import UsageError
    from replfix.wiring import trails

    configuration = config.load(config_path)
    found: list[Anchor] = []
    read: list[str] = []
    for place in (
        *trails.anchor_places(configuration, tuple(map(str, named))),
        *(trails.anchor_places(configuration) if named else ()),
    ):
        there = place.read()
        if there is None:
            narrate(f"Anchors in {place.name} cannot be read back: give the file that they come to with --anchor.")
            continue
        ours = [anchor for anchor in there if anchor.trail == trail.named_outside]
        if not ours and place.name in map(str, named):
            others = ", ".join(sorted({anchor.trail for anchor in there})) or "none at all"
            raise UsageError(f"{place.name} has no anchor of {trail.named_outside}.", f"It has anchors of: {others}.")
        found += ours
        read.append(place.name)
    return found, read


def _verify_file(file: Path, head_id: str | None, partial: bool, config_path: str | None) -> Verification:
    from replfix import config
    from replfix.audit.jsonl import read
    from replfix.core.trail.audit_record import verify_chain
    from replfix.wiring import trails

    seals = trails.audit_keys(config.load(config_path)).ring
    return verify_chain(read(file), ends_with=head_id, selection=partial, seals=seals)


def _print_verification(name: str, verification: Verification, anchors: int, read: list[str]) -> None:
    from replfix.cli.output import console
    from replfix.present.safe_text import visible

    out = console()
    count = f"{verification.records} record{'' if verification.records == 1 else 's'}"
    if verification.signed:
        count += f", {verification.signed} signed" + (
            "" if verification.checked else " by a key that is not configured"
        )
    if read:
        count += f", {anchors} anchor{'' if anchors == 1 else 's'}"
    if verification.whole:
        end = f", the last is {verification.head.id}" if verification.records else ""
        out.print(visible(f"✓ whole: {name} ({count}{end})"), soft_wrap=True)
        return
    out.print(visible(f"✗ NOT WHOLE: {name} ({count})"), soft_wrap=True)
    for found in verification.breaks[:SHOWN_BREAKS]:
        out.print(visible(f"  {found.message}"), soft_wrap=True)
    more = len(verification.breaks) - SHOWN_BREAKS
    if more > 0:
        out.print(f"  and {more} more; --json names up to 100")
