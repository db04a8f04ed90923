"""What ``forecast`` says of a backlog, held against what then happens: each error that stops the applier, and no other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from replfix.config import load
from replfix.core.conflicts.ahead.forecast import Ahead, Forecast, Unscanned
from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.replication.applier_error import ROW_ERRORS, ApplierError
from replfix.core.replication.replica_status import ChannelStatus
from replfix.core.replication.transaction_id import TransactionId
from replfix.lab.topology import Lab
from replfix.wiring import servers
from replfix.workflow.forecast.forecast_backlog import Bounds, forecast
from tests.integration.proving import proved

ASKED, PROOF_ASKED = "REPLFIX_TEST_FORECAST", "REPLFIX_TEST_PROVE"
"""The environment variables that have every seed checked: by the forecast, or by a rehearsal of the backlog too."""


def is_asked() -> bool:
    return "1" in (os.environ.get(ASKED), os.environ.get(PROOF_ASKED))


@dataclass(frozen=True, slots=True)
class Stop:
    """The applier stopped on that transaction; None where the error does not name it."""

    transaction: TransactionId | None
    error: ApplierError

    @classmethod
    def of(cls, diagnosis: Diagnosis) -> Stop:
        found = diagnosis.evidence.transaction
        return cls(found.id if found is not None else None, diagnosis.evidence.error)


def foretell(lab: Lab, channel: str | None = None) -> Forecast:
    """Where a proof is asked for: what the replica has rehearsed. An AssertionError where that and the forecast differ."""
    found = _forecast(lab, channel)
    if os.environ.get(PROOF_ASKED) != "1":
        return found
    proven = proved(lab, channel=channel)
    differ = compared(found, [_as_stop(ahead) for ahead in proven.conflicts if ahead.proven], to_the_end=_whole(proven))
    apart = tuple(lines(differ, found))
    assert not apart, ("the forecast and the rehearsal differ", *apart, *map(_words, proven.conflicts))
    return proven


def _whole(proven: Forecast) -> bool:
    return proven.scanned.complete


def _as_stop(ahead: Ahead) -> Stop:
    conflict = ahead.conflict
    key = conflict.keys[0] if ahead.errno == 1062 and conflict.keys else None
    table = None if conflict.foreign_key else str(conflict.table)
    error = ApplierError(ahead.errno or 0, "", table=table, key=key, foreign_key=conflict.foreign_key or None)
    return Stop(ahead.transaction, error)


def _forecast(lab: Lab, channel: str | None) -> Forecast:
    with servers.TargetConnections(load(str(lab.config_file)).target("replica1")) as wired:
        bounds = Bounds(None, None, 1 << 30)
        return forecast(
            wired.replica, wired.source_of, channel, servers.SystemClock(), bounds, lambda _: None, values=True
        )


def failure_of(lab: Lab) -> Stop | None:
    """What the channel is stopped on now, where that names a transaction."""
    with servers.TargetConnections(load(str(lab.config_file)).target("replica1")) as wired:
        channel: ChannelStatus = wired.replica.status().channels[0]
        error = channel.failure
        if error is None or error.gtid is None:
            return None
        return Stop(TransactionId(error.gtid, error.log_file or "", 0, error.end_log_pos or 0), error)


@dataclass
class Comparison:
    misses: list[str]
    false_alarms: list[str]
    hits: int
    unknown: int


def compared(found: Forecast, stops: list[Stop], *, to_the_end: bool) -> Comparison:
    """``to_the_end``: the channel has got past every transaction of the backlog."""
    said = Comparison([], [], 0, 0)
    for stop in stops:
        if any(_is_of(stop, ahead) for ahead in found.stops):
            said.hits += 1
        elif any(_covers(unscanned, stop) for unscanned in found.scanned.unscanned):
            said.unknown += 1
        else:
            near = [_words(ahead) for ahead in found.conflicts if _same(ahead.transaction, stop.transaction)]
            said.misses.append(
                f"not foretold: {stop.transaction} {stop.error.errno} {stop.error.message} (but: {near})"
            )
    happened = [stop.transaction for stop in stops]
    for transaction in dict.fromkeys(ahead.transaction for ahead in found.stops):
        if any(_same(transaction, each) for each in happened):
            continue
        if to_the_end:
            met = [_words(ahead) for ahead in found.stops if ahead.transaction == transaction]
            said.false_alarms.append(f"foretold, and did not happen: {met}")
    return said


def _is_of(stop: Stop, ahead: Ahead) -> bool:
    error, conflict = stop.error, ahead.conflict
    if not _same(ahead.transaction, stop.transaction) or error.errno != ahead.errno:
        return False
    if error.table is not None and not conflict.foreign_key and error.table != str(conflict.table):
        return False
    if conflict.foreign_key:
        return error.foreign_key in (None, conflict.foreign_key)
    named = error.key.rpartition(".")[2] if error.key is not None else None
    return error.errno != 1062 or named is None or named in conflict.keys


def _same(one: TransactionId, other: TransactionId | None) -> bool:
    if other is None:
        return False
    if one.gtid is not None or other.gtid is not None:
        return one.gtid == other.gtid
    return (one.log_file, one.end_pos) == (other.log_file, other.end_pos)


def _covers(unscanned: Unscanned, stop: Stop) -> bool:
    """Whether it names the table, or all that follows a transaction; errors of statements and definitions are none of rows."""
    if stop.error.errno not in ROW_ERRORS or stop.error.statement is not None:
        return True
    if unscanned.table is None:
        return unscanned.since is not None or stop.transaction is None
    return stop.error.table in (None, str(unscanned.table))


def _words(ahead: Ahead) -> str:
    conflict = ahead.conflict
    return f"{ahead.transaction} {ahead.errno} {ahead.effect} {conflict.kind} {conflict.table} {conflict.keys} {conflict.foreign_key} expected {conflict.expected} incoming {conflict.incoming} there {conflict.replica_row}"


def lines(said: Comparison, found: Forecast) -> Iterator[str]:
    yield from said.misses
    yield from said.false_alarms
    if said.misses or said.false_alarms:
        yield f"unscanned: {[(each.what, each.why, str(each.since)) for each in found.scanned.unscanned]}"
