"""What interrupted runs left unfinished, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from replfix.core.trail.audit_record import AuditRecord, RecordKind
from replfix.errors import ReplfixError
from replfix.present.page.outcome_page import hint_points, on_record
from replfix.present.page.page_model import Block, Page, Point, Section, Sentence, Symbol, name, strong, words
from replfix.present.page.record_page import when
from replfix.workflow.recover.recovery import Recovered

_LEFT = {
    RecordKind.SETTINGS.value: "changed settings of the server and did not put them back",
    RecordKind.INTENT.value: "recorded what it was about to do, and not what became of it",
}


@dataclass(frozen=True, slots=True)
class RecoverAttempt:
    """What was put right on one replica, and the error at which that ended."""

    replica: str
    done: Sequence[Recovered]
    error: ReplfixError | None = None


def left_blocks(left: Sequence[AuditRecord]) -> Iterator[Block]:
    """Yield a warning for each record of a run that has not ended."""
    for record in left:
        said = f"{when(record)} UTC, {record.author}: a run {_LEFT[record.kind]} ({record.id})."
        yield Point(Symbol.WARNING, words(said))
    yield Sentence(words("It was interrupted, or is still at work."))


def recover_page(attempts: Sequence[RecoverAttempt], elsewhere: Sequence[str]) -> Page:
    """Return what became of every interrupted run; ``elsewhere``: records of runs on servers that are none of these."""
    blocks = [block for attempt in attempts for block in _attempt(attempt)]
    where = "An interrupted run on a server that is none of these replicas: "
    blocks += (Point(Symbol.WARNING, words(where, name(f"replfix audit show {record}"))) for record in elsewhere)
    return Page((Section((), tuple(blocks)),))


def recovered_blocks(done: Sequence[Recovered], replica: str = "") -> Iterator[Block]:
    """Yield what became of each; ``replica``: its name, where several are in one list."""
    before = (strong(replica), ": " if replica else "")
    if not done:
        yield Point(Symbol.OK, words(*before, "Nothing is left behind."))
    for each in done:
        yield Point(Symbol.OK, words(*before, each.message))
        yield from hint_points(each.next)
        yield from on_record([each.audit_id])


def _attempt(attempt: RecoverAttempt) -> Iterator[Block]:
    error = attempt.error
    if attempt.done or error is None:
        yield from recovered_blocks(attempt.done, attempt.replica)
    if error is not None:
        yield Point(Symbol.ERROR, words(strong(attempt.replica), f": {error.message}"))
        yield from hint_points(error.hint)
