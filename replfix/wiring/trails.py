"""From the configuration to the audit trail, and to an operation that is on record."""

from __future__ import annotations

import shlex
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from replfix.config import Config
from replfix.core.diagnosis.finding import Finding, Severity
from replfix.core.remedies.remedy import to_do
from replfix.core.trail.audit_record import RecordKind
from replfix.core.words import counted
from replfix.errors import AuditError, ConfigError, ReplfixError, Unexpected
from replfix.mysql.server import MysqlServer
from replfix.ports import Progress
from replfix.workflow.operation import Operation
from replfix.workflow.recover.recovery import leftovers, unended

if TYPE_CHECKING:
    from replfix.audit import SqlTrail
    from replfix.audit.anchors import AnchorStore
    from replfix.audit.keys import Keys

from replfix.wiring.servers import SystemClock, TargetConnections


def open_trail(config: Config) -> SqlTrail:
    """Open the audit trail that the configuration names."""
    from replfix.audit import SqlTrail  # SQLAlchemy takes a third of the time that a command needs to start

    return SqlTrail.open(
        config.audit_url,
        account=config.audit_account,
        tls=config.audit_tls,
        keys=audit_keys(config),
        may_write=config.check_may_write,
    )


_BEFORE_WRITES = {RecordKind.SETTINGS, RecordKind.INTENT, RecordKind.ON_SOURCE}
"""What is on record before something is changed on a server."""


@contextmanager
def trail_to_write(
    config: Config, warn: Callable[[str], None], expected: tuple[type[Exception], ...] = ()
) -> Iterator[SqlTrail]:
    """Give the trail; when something was added, its head is kept where the configuration says.

    An error while that head is kept undoes nothing: ``warn`` gets it. An error that nobody expects comes out as
    Unexpected where a server may have been changed; ``expected``: those that are no bug of the caller.

    Everything that writes begins here, and so ends here with ReadOnly where that was asked for.
    """
    config.check_may_write()
    places, trail = anchor_places(config), open_trail(config)
    try:
        yield trail
    except Exception as error:
        if isinstance(error, (ReplfixError, *expected)) or not trail.added & _BEFORE_WRITES:
            raise
        raise Unexpected(error) from error
    finally:
        try:
            if trail.added:
                for failed in anchored(trail, places):
                    warn(
                        f"Warning: {failed.message} {failed.hint} The head of the trail is not kept there: 'replfix audit anchor' does it again."
                    )
        finally:
            trail.close()


def anchor_places(config: Config, named: Sequence[str] = ()) -> list[AnchorStore]:
    """Return the places that are named, else those of the configuration. ConfigError for one that is none."""
    from replfix.audit.anchors import place_of

    account, tls = config.audit_account, config.audit_tls
    beside = Path if named else config.beside
    return [place_of(where, beside, account, tls) for where in named or config.file.audit.anchor]


def anchored(trail: SqlTrail, places: Sequence[AnchorStore]) -> list[ReplfixError]:
    """Keep the trail's head in each place; what went wrong."""
    from replfix.audit.anchors import add_to_all

    try:
        anchor = trail.anchor() if places else None
    except ReplfixError as error:
        return [error]
    return add_to_all(anchor, places) if anchor is not None else []


def audit_keys(config: Config) -> Keys:
    """Return the keys that the configuration names; none of them is read yet."""
    from replfix.audit.keys import Keys

    audit = config.file.audit
    return Keys(
        file=None if audit.key_file is None else config.beside(audit.key_file),
        command=audit.key_command,
        verifying=tuple(map(config.beside, audit.verify_keys)),
        signed_from=audit.signed_from,
    )


@contextmanager
def trail_to_read(config: Config) -> Iterator[SqlTrail]:
    """Give the trail to a command that only reads, and can do without it."""
    trail = open_trail(config)
    try:
        yield trail
    finally:
        trail.close()


def check_trail(config: Config, replica: MysqlServer) -> Iterator[Finding]:
    """Check whether the trail is writable, without writing to it, and whole, and whether a run here was interrupted."""
    try:
        trail = open_trail(config)
        trail.check_writable()
        trail.check_room()
        found = trail.verify()
        server_uuid = replica.uuid()
        changed, unclear = leftovers(trail, server_uuid), unended(trail, server_uuid)
    except (AuditError, ConfigError) as error:
        yield Finding("audit-trail", Severity.CRITICAL, error.message, fixes=to_do(error.hint))
        return
    if found.first is not None:
        yield Finding("audit-trail", Severity.WARNING, f"The audit trail is not whole: {found.first.message}.")
    else:
        records = counted(found.records, "record")
        yield Finding(
            "audit-trail", Severity.INFO, f"The audit trail {trail.name} can be written and is whole ({records})."
        )
    if trail.path is not None:  # a shared trail is kept by its server
        yield from _keeping(trail.path)
    for record in changed:
        yield Finding(
            "interrupted-run",
            Severity.WARNING,
            f"A run of {record.recorded_at} changed settings and was interrupted, or is still at work: {record.payload}",
            fixes=to_do(
                "'replfix recover' puts them back, and so does the next 'replfix resolve' (a dry run too) before it begins."
            ),
        )
    for record in unclear:
        yield Finding(
            "interrupted-run",
            Severity.WARNING,
            f"A run of {record.recorded_at} recorded an intent and no outcome ({record.id}): it was interrupted, or is still "
            "at work.",
            fixes=to_do("'replfix recover' finds out what became of it."),
        )


ROOM_TO_WARN = 256 * 1024 * 1024
ROOM_TO_FAIL = 16 * 1024 * 1024
"""Free bytes below which the images of displaced rows, which a repair records first, may not find room."""


def _keeping(path: Path) -> Iterator[Finding]:
    """Check whether the trail's file has room, and is for its owner only: it has rows in it."""
    directory = next(p for p in path.absolute().parents if p.is_dir())
    free = shutil.disk_usage(directory).free
    verdict = Severity.CRITICAL if free < ROOM_TO_FAIL else Severity.WARNING if free < ROOM_TO_WARN else Severity.INFO
    yield Finding(
        "audit-trail-room",
        verdict,
        f"The file system of the audit trail has {free // (1024 * 1024):,} MiB free"
        + (
            " for displaced rows and their undo."
            if verdict is Severity.INFO
            else ": displaced rows may not find room there."
        ),
        fixes=to_do(
            "" if verdict is Severity.INFO else f"Make room at {directory}, or move the trail: url in [audit]."
        ),
    )
    if path.exists():
        mode = stat.S_IMODE(path.stat().st_mode)
        others = mode & (stat.S_IRWXG | stat.S_IRWXO)
        yield Finding(
            "audit-trail-mode",
            Severity.WARNING if others else Severity.INFO,
            f"The audit trail can be read by others than its owner (mode {mode:04o})."
            if others
            else "The audit trail is for its owner only.",
            fixes=to_do(f"chmod 600 {shlex.quote(str(path))}" if others else ""),
        )


def operation(
    wired: TargetConnections,
    trail: SqlTrail,
    progress: Progress,
    shield: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Operation:
    """Return what the workflow needs to write on the target's replica."""
    trail.check_key()
    return Operation(
        name=wired.target.name,
        replica=wired.replica,
        source_of=wired.source_of,
        trail=trail,
        clock=SystemClock(),
        progress=progress,
        shield=shield,
    )
