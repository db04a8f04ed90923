"""Labelled evidence and what is concluded from it: above all that no wrong cause is claimed with confidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from replfix.core.binlog.row_event import RowChange, Transaction
from replfix.core.conclude import conclude, strategy_names
from replfix.core.conflicts.row_history import History, Logged, compiled, touched
from replfix.core.diagnosis.cause import Confidence
from replfix.core.diagnosis.causes import CAUSES, DESCRIPTIONS
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.incident_context import IncidentContext, Side
from replfix.core.replication.gtid import GtidSet
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.auto_increment import AutoIncrement
from replfix.core.schema.table import ForeignKey, Table
from tests.unit.fakes import Rows
from tests.unit.making import (
    REPLICA,
    SOURCE,
    WHEN,
    channel,
    column,
    deleted,
    evidence,
    inserted,
    key,
    table,
    transaction,
    updated,
)

T = table(
    "d.t",
    [column("id", auto_increment=True), column("a", nullable=True), column("b", nullable=True)],
    [key("PRIMARY", "id"), key("a", "a")],
)
HIGH, MEDIUM, LOW = "high", "medium", "low"


def local(number: int, *changes: RowChange, queries: tuple[str, ...] = (), thread: int | None = 17) -> Transaction:
    """A transaction that was written on the replica itself."""
    return transaction(changes, (T,), f"{REPLICA}:{number}", queries=queries, thread_id=thread)


def found(
    changes: Sequence[RowChange],
    *held: RowImage,
    writes: Sequence[Transaction] = (),
    errant: str | None = None,
    of: Table = T,
) -> Evidence:
    return evidence(changes, Rows.of(of).holding(of, *held), local_writes=writes, errant=errant)


def concluded(gathered: Evidence) -> list[tuple[str, str]]:
    return [(c.code, c.confidence.value) for c in conclude(gathered).causes]


def sentences(gathered: Evidence, code: str) -> str:
    return " ".join(next(c.evidence for c in conclude(gathered).causes if c.code == code))


HELD = (1, 9, 9)
INSERT = (inserted(T, 1, 2, 3),)
WRITER = local(3, inserted(T, *HELD))
CASES: dict[str, tuple[Evidence, list[tuple[str, str]]]] = {
    "nothing in conflict": (found(INSERT), []),
    "a row written on the replica, its author read": (
        found(INSERT, HELD, writes=[WRITER]),
        [("local-write", HIGH)],
    ),
    "the author is an update of the row": (
        found(INSERT, HELD, writes=[local(4, updated(T, (1, 9, 0), HELD))]),
        [("local-write", HIGH)],
    ),
    "a differing row and no errant transaction": (found(INSERT, HELD), [("unknown-author", HIGH)]),
    "a differing row, and all errant transactions wrote other rows": (
        found(INSERT, HELD, writes=[local(3, inserted(T, 8, 8, 8))]),
        [("unknown-author", HIGH)],
    ),
    "a differing row, and not all errant transactions can be read": (
        found(INSERT, HELD, errant=f"{REPLICA}:1-2"),
        [("local-write", MEDIUM), ("unknown-author", LOW)],
    ),
    "the only trace of the row is its deletion: somebody else put it there": (
        found(INSERT, HELD, writes=[local(3, deleted(T, *HELD))]),
        [("unknown-author", HIGH)],
    ),
    "errant transactions of another server, which nobody wrote here": (
        found(INSERT, HELD, errant="cccccccc-0000-0000-0000-000000000003:1"),
        [("unknown-author", LOW)],
    ),
    "applied twice: one row": (found(INSERT, (1, 2, 3)), [("applied-twice", MEDIUM)]),
    "applied twice: an insert and a delete": (
        found((*INSERT, deleted(T, 5, 5, 5)), (1, 2, 3)),
        [("applied-twice", MEDIUM), ("missing-row", HIGH)],
    ),
    "applied twice: a moved key": (
        found((updated(T, (1, 2, 3), (7, 2, 3)),), (7, 2, 3)),
        [("applied-twice", MEDIUM), ("missing-row", HIGH)],
    ),
    "applied twice: a row that is inserted and changed in one transaction": (
        found((*INSERT, updated(T, (1, 2, 3), (1, 2, 4))), (1, 2, 4)),
        [("applied-twice", MEDIUM)],
    ),
    "identical rows, but not all of them": (
        found((*INSERT, inserted(T, 4, 5, 6)), (1, 2, 3)),
        [("applied-twice", LOW)],
    ),
    "one identical row and one that differs": (
        found((*INSERT, inserted(T, 4, 5, 6)), (1, 2, 3), (4, 5, 7)),
        [("unknown-author", HIGH)],
    ),
    "identical rows that were written on the replica were not applied twice": (
        found(INSERT, (1, 2, 3), writes=[local(3, inserted(T, 1, 2, 3))]),
        [("local-write", HIGH)],
    ),
    "identical rows, and errant transactions that cannot be read": (
        found(INSERT, (1, 2, 3), errant=f"{REPLICA}:1-9"),
        [("applied-twice", MEDIUM)],
    ),
    "some identical rows, and errant transactions that cannot be read": (
        found((*INSERT, inserted(T, 4, 5, 6)), (1, 2, 3), errant=f"{REPLICA}:1-9"),
        [("applied-twice", LOW)],
    ),
    "a transaction that only deletes proves nothing by rows that are gone": (
        found((deleted(T, 1, 2, 3),)),
        [("missing-row", HIGH)],
    ),
    "a missing row that was deleted on the replica": (
        found((updated(T, (1, 2, 3), (1, 2, 4)),), writes=[local(3, deleted(T, 1, 2, 3))]),
        [("local-write", HIGH), ("missing-row", HIGH)],
    ),
    "a missing row, and not all errant transactions can be read": (
        found((deleted(T, 1, 2, 3),), errant=f"{REPLICA}:1"),
        [("local-write", MEDIUM), ("missing-row", HIGH)],
    ),
    "a row that differs from the before image": (
        found((updated(T, (1, 2, 3), (1, 2, 4)),), (1, 2, 8)),
        [("unknown-author", HIGH), ("row-differs", HIGH)],
    ),
}


def test_a_run_of_transactions_that_stand_there_was_applied_before() -> None:
    gathered = found(INSERT, (1, 2, 3))
    run = replace(gathered, around=replace(gathered.around, run=2, settings={"sync_binlog": "0"}))
    assert concluded(run) == [("applied-twice", HIGH)]
    assert "as 2 transactions" in sentences(run, "applied-twice")
    assert "sync_binlog=0" in sentences(run, "applied-twice")


@pytest.mark.parametrize("name", CASES)
def test_causes(name: str) -> None:
    gathered, expected = CASES[name]
    assert concluded(gathered) == expected


def test_nothing_is_concluded_from_a_transaction_that_was_not_read() -> None:
    assert concluded(replace(found(INSERT, HELD), transaction=None, reconciliation=None, tables={})) == []


def test_the_author_is_named_with_time_connection_and_statement() -> None:
    writer = local(3, inserted(T, *HELD), queries=("INSERT INTO t VALUES (1, 9, 9)",))
    text = sentences(found(INSERT, HELD, writes=[local(2, inserted(T, 1, 0, 0)), writer]), "local-write")
    assert (
        f"has the insert of this d.t row (id) in {REPLICA}:3, written on the replica at 2026-03-01 12:30:45 UTC" in text
    )
    assert "connection 17, and the source has not executed that transaction." in text
    assert "The statement was logged with it: INSERT INTO t VALUES (1, 9, 9)" in text
    assert f"{REPLICA}:2" not in text, "an earlier write of the same row is not what stands there"
    nameless = local(3, inserted(T, *HELD), thread=None)
    assert "connection" not in sentences(found(INSERT, HELD, writes=[nameless]), "local-write")


def test_many_authors_are_cut_short() -> None:
    changes = [inserted(T, n, n, 0) for n in range(1, 9)]
    writes = [local(n, inserted(T, n, n, 1)) for n in range(1, 9)]
    gathered = found(changes, *((n, n, 1) for n in range(1, 9)), writes=writes)
    assert "… and 3 more rows." in sentences(gathered, "local-write")


@pytest.mark.parametrize(
    ("writes", "errant", "words"),
    [
        ([local(3, deleted(T, 1, 2, 3))], None, f"has the delete of this d.t row (id) in {REPLICA}:3"),
        ([], None, "No transaction of the replica's own deleted it"),
        ([], f"{REPLICA}:1", "Not all of the replica's own transactions could be read"),
    ],
)
def test_who_deleted_a_missing_row(writes: list[Transaction], errant: str | None, words: str) -> None:
    assert words in sentences(found((deleted(T, 1, 2, 3),), writes=writes, errant=errant), "missing-row")


def _two_writers(*ids: int, connection: int | None = None) -> Evidence:
    """The source's row meets the replica's, one of the rows that the replica numbered itself."""
    writes = [local(n, inserted(T, id_, None, n), thread=connection or n) for n, id_ in enumerate(ids, 1)]
    return found((inserted(T, ids[0], None, 0),), *((id_, None, n) for n, id_ in enumerate(ids, 1)), writes=writes)


def test_two_writers() -> None:
    assert concluded(_two_writers(5, 6, 7)) == [("two-writers", HIGH), ("local-write", HIGH)]
    assert concluded(_two_writers(5, 6)) == [("local-write", HIGH), ("two-writers", MEDIUM)]
    assert "2 rows" in sentences(_two_writers(5, 6), "two-writers")
    by_one = _two_writers(5, 6, 7, connection=8)
    assert concluded(by_one) == [("local-write", HIGH), ("two-writers", MEDIUM)], (
        "it can be a person that goes on counting"
    )
    unnamed = _two_writers(5, 6, 7)
    unnamed = replace(unnamed, local_writes=tuple(replace(one, thread_id=None) for one in unnamed.local_writes))
    assert concluded(unnamed) == [("local-write", HIGH), ("two-writers", MEDIUM)]
    assert "connections that its binlog does not name" in sentences(unnamed, "two-writers")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda e: _two_writers(5), "one row is no counter"),
        (lambda e: _two_writers(5, 9, 7), "the ids do not step as a counter does"),
        (
            lambda e: replace(e, replica_auto_increment=AutoIncrement(2, 1), source_auto_increment=AutoIncrement(2, 2)),
            "the settings keep the servers apart, and the ids do not step by 2",
        ),
        (lambda e: replace(e, replica_auto_increment=AutoIncrement(2, 1)), "the ids do not step by 2"),
    ],
)
def test_what_is_not_two_writers(change: Callable[[Evidence], Evidence], why: str) -> None:
    assert concluded(change(_two_writers(5, 6, 7))) == [("local-write", HIGH)], why


def test_settings_that_keep_two_servers_apart() -> None:
    stepping = _two_writers(5, 7, 9)
    apart = replace(stepping, replica_auto_increment=AutoIncrement(2, 1), source_auto_increment=AutoIncrement(2, 2))
    assert ("two-writers", HIGH) not in concluded(apart)
    same = replace(stepping, replica_auto_increment=AutoIncrement(2, 1), source_auto_increment=AutoIncrement(2, 3))
    assert ("two-writers", HIGH) in concluded(same)
    unknown = replace(stepping, replica_auto_increment=AutoIncrement(2, 1), source_auto_increment=None)
    assert ("two-writers", HIGH) in concluded(unknown)


def test_rows_of_one_transaction_are_a_load_not_a_counter() -> None:
    rows = [(n, None, n) for n in (5, 6, 7)]
    load = local(1, *(inserted(T, *row) for row in rows))
    gathered = found((inserted(T, 5, None, 0),), *rows, writes=[load])
    assert concluded(gathered) == [("local-write", HIGH)]


def test_identical_rows_are_no_two_writers() -> None:
    writes = [local(n, inserted(T, n, None, n)) for n in (5, 6, 7)]
    gathered = found((inserted(T, 5, None, 5),), *((n, None, n) for n in (5, 6, 7)), writes=writes)
    assert concluded(gathered) == [("local-write", HIGH)]


def test_why_comes_before_what_then_the_surer_then_the_list() -> None:
    rules = {rule.CODE: rule for rule in CAUSES}
    order = [Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW]
    for gathered, _ in CASES.values():
        given = []
        for cause in conclude(gathered).causes:
            rule = rules[cause.code]
            unlikely = rule in DESCRIPTIONS or cause.confidence is Confidence.LOW
            given.append((unlikely, order.index(cause.confidence), CAUSES.index(rule)))
        assert given == sorted(given)


def test_every_strategy_answers() -> None:
    diagnosis = conclude(found(INSERT, HELD))
    assert tuple(p.strategy for p in diagnosis.proposals) == strategy_names()
    assert diagnosis.proposal("source-wins") is not None
    assert diagnosis.proposal("none") is None
    assert diagnosis.unknowns == ()


def test_every_cause_gives_facts() -> None:
    for gathered, _ in CASES.values():
        for cause in conclude(gathered).causes:
            assert cause.summary.endswith(".")
            assert cause.evidence
            assert all(cause.evidence)


def test_the_table_that_the_error_names_may_hold_dots() -> None:
    dotted = table("a.b.c", [column("id")], [key("PRIMARY", "id")])
    gathered = found((inserted(dotted, 1),), (1,), of=dotted)
    assert gathered.error.table == "a.b.c"
    assert gathered.stopped_on == ("a", "b.c")
    unread = replace(gathered, transaction=None, reconciliation=None, tables={})
    assert unread.stopped_on == ("a", "b.c")
    assert replace(gathered, error=replace(gathered.error, table=None)).stopped_on is None


PARENT = table("d.p", [column("id")], [key("PRIMARY", "id")])
_REFERENCE = ForeignKey("f", T.name, ("a",), PARENT.name, ("id",), "NO ACTION", "CASCADE")
CHILD = replace(T, foreign_keys=(_REFERENCE,))


def _log(*changes: RowChange, of: Table, number: int, gtid: str = SOURCE) -> Transaction:
    written = transaction(changes, (of,), f"{gtid}:{number}")
    return replace(written, log_file="b.000001", start_pos=number * 100)


def _logs(*log: Transaction) -> History:
    """The whole life of a server that executed just that."""
    gtids = GtidSet.parse(",".join(str(one.gtid) for one in log))
    tables = {T.name: T, PARENT.name: PARENT}
    wanted = frozenset(row for one in log for change in one.changes for row in touched(change, tables))
    history = compiled(iter(log), gtids, gtids, wanted, tables, 1000)
    assert history is not None
    return history


def test_a_cascade_on_the_source_only_leaves_children_on_the_replica() -> None:
    """As before MySQL 9.6, where the source's binlog has the parent's delete only."""
    log = _logs(
        _log(inserted(PARENT, 9), of=PARENT, number=1),
        _log(inserted(T, *HELD), of=T, number=2),
        _log(deleted(PARENT, 9), of=PARENT, number=3),
    )
    gathered = found(INSERT, HELD)
    around = IncidentContext(
        replica_log=log,
        source_log=log,
        replica=Side({T.name: T}),
        source=Side({T.name: CHILD}),
        parents={PARENT.name: PARENT},
        logs_all=True,
    )
    assert concluded(replace(gathered, around=around)) == [("cascade", HIGH)]
    both = replace(gathered, tables={T.name: CHILD}, around=replace(around, replica=Side({T.name: CHILD})))
    assert ("cascade", HIGH) not in concluded(both), "the same rule on both servers"


def test_a_row_of_another_channel() -> None:
    other = channel(name="b", source_uuid="cccccccc-0000-0000-0000-000000000003", source_host="shop")
    log = _logs(_log(inserted(T, *HELD), of=T, number=7, gtid=other.source_uuid))
    gathered = found(INSERT, HELD)
    gathered = replace(
        gathered,
        status=replace(gathered.status, channels=(gathered.channel, other)),
        around=IncidentContext(replica_log=log, logs_all=True),
    )
    assert concluded(gathered) == [("other-channel", HIGH)]
    text = sentences(gathered, "other-channel")
    assert "came from shop:3306 by channel 'b'" in text
    changed = replace(
        gathered,
        around=IncidentContext(
            replica_log=_logs(_log(inserted(T, 1, 9, 8), of=T, number=7, gtid=other.source_uuid)), logs_all=True
        ),
    )
    assert concluded(changed) == [("unlogged-write", HIGH)], "what the other channel left is not what stands there"


@pytest.mark.parametrize("hidden", ["logs_all", "cascade", "gap"])
def test_an_unlogged_write_is_not_claimed_where_the_log_may_hide_something(hidden: str) -> None:
    gathered = found(INSERT, HELD)
    log = _logs(_log(inserted(T, 1, 0, 0), of=T, number=1))
    around = IncidentContext(replica_log=log, logs_all=True)
    assert concluded(replace(gathered, around=around)) == [("unlogged-write", HIGH)]
    if hidden == "logs_all":
        gathered = replace(gathered, around=replace(around, logs_all=False))
    elif hidden == "cascade":
        gathered = replace(gathered, around=around, tables={T.name: CHILD})
    else:
        unread = Logged(f"{SOURCE}:2", "b.000001", 200, WHEN, 1, 5, 0, statement="CALL d.p()", unread="a statement")
        gathered = replace(
            gathered, around=replace(around, replica_log=replace(log, logged={**log.logged, unread.gtid: unread}))
        )
    assert concluded(gathered) == [("unknown-author", HIGH)]
