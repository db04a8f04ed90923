"""One example for each thing that a forecast has to know about backlogs: what it reports, and what it says not to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from replfix.core.binlog.row_event import PassedOver, RowChange, Transaction
from replfix.core.binlog.statement import Statement
from replfix.core.conflicts.ahead.forecast import Forecast
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.replica_status import ChannelStatus
from replfix.core.rows.row_values import NOT_LOGGED, RowImage
from replfix.core.schema.table import Column, ForeignKey, KeyPart, Table, TableName
from replfix.core.words import Advance
from replfix.errors import ConnectError
from replfix.workflow.forecast.forecast_backlog import Bounds, forecast
from tests.unit.fakes import FakeReplica, FakeServer, Rows, World
from tests.unit.making import REPLICA, SOURCE, WHEN, column, deleted, inserted, key, table, transaction, updated

T = table("d.t", [column("id"), column("u", nullable=True), column("v", nullable=True)], [key("PRIMARY", "id"), key("u", "u")])  # fmt: skip
PAIR = table("d.pair", [column("a"), column("b", nullable=True), column("c", nullable=True)], [key("PRIMARY", "a"), key("bc", "b", "c")])  # fmt: skip
NAMELESS = table("d.nameless", [column("v", nullable=True), column("w", nullable=True)], [])


def _text(name: str, collation: str) -> Column:
    return column(name, "varchar", column_type="varchar(20)", charset="utf8mb4", collation=collation)


WORDS = table("d.words", [column("id"), _text("w", "utf8mb4_general_ci")], [key("PRIMARY", "id"), key("w", "w")])  # fmt: skip
NAMED_BY_WORD = table("d.word", [_text("w", "utf8mb4_general_ci"), column("n")], [key("PRIMARY", "w")])  # fmt: skip
BEGINNINGS = table("d.begin", [column("id"), _text("w", "utf8mb4_bin")], [key("PRIMARY", "id"), key("w", KeyPart("w", 2))])  # fmt: skip
SUMS = table("d.sums", [column("id"), column("x"), column("y")], [key("PRIMARY", "id"), key("f", KeyPart(None, None, "x + y", ("x", "y")))])  # fmt: skip


def _related(on_delete: str) -> tuple[Table, Table]:
    fk = ForeignKey("fk", TableName("d", "child"), ("p",), TableName("d", "parent"), ("id",), "RESTRICT", on_delete)
    parent = table("d.parent", [column("id")], [key("PRIMARY", "id")], referenced_by=(fk,))
    child = table("d.child", [column("id"), column("p", nullable=True)], [key("PRIMARY", "id")], foreign_keys=(fk,))
    return parent, child


PARENT, CHILD = _related("RESTRICT")
CARRYING, CARRIED = _related("CASCADE")
ALL = (T, PAIR, NAMELESS, WORDS, NAMED_BY_WORD, BEGINNINGS, SUMS)
UNBOUND = Bounds(None, None, 1 << 30)


class Clock:
    seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        raise AssertionError


@dataclass
class Case:
    """``held``: rows of the replica. ``theirs``: the source's definitions where they are others."""

    backlog: Sequence[Transaction | PassedOver]
    held: Sequence[tuple[Table, RowImage]] = ()
    tables: Sequence[Table] = ALL
    theirs: Sequence[Table] = ()
    executed: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    whole_rows: bool = True
    source_is_down: bool = False

    def servers(self) -> tuple[FakeServer, FakeReplica]:
        world = World()
        theirs = {t.name: t for t in (*self.tables, *self.theirs)}
        source = FakeServer(world, "source", SOURCE, Rows.of(*theirs.values()))
        rows = Rows.of(*self.tables)
        for of, row in self.held:
            rows.insert(of.name, row)
        replica = FakeReplica(world, "replica", REPLICA, rows, source)
        replica.applier_running = False
        replica.gtids = GtidSet.parse(self.executed)
        source.logs_whole_rows = self.whole_rows
        source.log = {str(one.gtid): one for one in self.backlog}  # type: ignore[misc]
        source.gtids = GtidSet.exactly(source.log)
        replica.relay = [one for one in self.backlog if isinstance(one, Transaction)]
        replica.settings = self.settings
        return source, replica

    def foretold(self, bounds: Bounds = UNBOUND, *, values: bool = False) -> Forecast:
        source, replica = self.servers()

        def source_of(_: ChannelStatus) -> FakeServer:
            if self.source_is_down:
                raise ConnectError("source:3306 does not answer.")
            return source

        return forecast(replica, source_of, None, Clock(), bounds, lambda _: None, values=values)


def tx(number: int, *changes: RowChange, tables: Sequence[Table] = ALL) -> Transaction:
    used = {change.table for change in changes}
    return transaction(changes, [t for t in tables if t.name in used], f"{SOURCE}:{number}")


def ddl(number: int, text: str, *changes: RowChange) -> Transaction:
    return replace(tx(number, *changes), statements=(Statement("d", text, whole=not changes),))


def shown(found: Forecast) -> list[str]:
    """Number of the transaction, error or effect, table, keys, and the replica's row."""
    return [
        f"{(one.transaction.gtid or '').rpartition(':')[2]}: {one.errno or one.effect} {one.conflict.table.name} "
        f"{','.join(one.conflict.keys)} {one.conflict.replica_row}"
        for one in found.conflicts
    ]


CASES = {
    "nothing waits": (Case(()), []),
    "a key moved there and back": (
        Case(
            [tx(1, updated(T, (1, 5, 0), (2, 5, 0))), tx(2, updated(T, (2, 5, 0), (1, 5, 0))), tx(3, inserted(T, 2, 6, 0))],
            [(T, (1, 5, 0))],
        ),
        [],
    ),
    "a key moved onto a row of the replica, and back": (
        Case(
            [tx(1, updated(T, (1, 5, 0), (2, 5, 0))), tx(2, updated(T, (2, 5, 0), (1, 5, 0))), tx(3, inserted(T, 2, 6, 0))],
            [(T, (1, 5, 0)), (T, (2, 9, 0))],
        ),
        ["1: 1062 t PRIMARY (2, 9, 0)"],
    ),
    "unique values that two rows exchange": (
        Case(
            [tx(1, updated(T, (1, 5, 0), (1, None, 0)), updated(T, (2, 6, 0), (2, 5, 0)), updated(T, (1, None, 0), (1, 6, 0)))],
            [(T, (1, 5, 0)), (T, (2, 6, 0))],
        ),
        [],
    ),
    "unique values that are exchanged at once, by a key that only the replica has": (
        Case(
            [tx(1, updated(T, (1, 5, 0), (1, 6, 0)), updated(T, (2, 6, 0), (2, 5, 0)))],
            [(T, (1, 5, 0)), (T, (2, 6, 0))],
            theirs=[replace(T, unique_keys=T.unique_keys[:1])],
        ),
        ["1: 1062 t u (2, 6, 0)"],
    ),
    "inserted, deleted and inserted": (
        Case([tx(1, inserted(T, 1, 5, 0)), tx(2, deleted(T, 1, 5, 0)), tx(3, inserted(T, 1, 6, 0)), tx(4, inserted(T, 2, 5, 0))]),
        [],
    ),
    "the same over a row of the replica: only the first stops": (
        Case(
            [tx(1, inserted(T, 1, 5, 0)), tx(2, deleted(T, 1, 5, 0)), tx(3, inserted(T, 1, 6, 0))],
            [(T, (1, 7, 0)), (T, (9, 5, 0))],
        ),
        ["1: 1062 t PRIMARY (1, 7, 0)", "1: 1062 t u (9, 5, 0)"],
    ),
    "a value that an earlier transaction frees": (
        Case([tx(1, deleted(T, 1, 5, 0)), tx(2, inserted(T, 2, 5, 0))], [(T, (1, 5, 0))]),
        [],
    ),
    "a value that a later transaction frees": (
        Case([tx(1, inserted(T, 2, 5, 0)), tx(2, deleted(T, 1, 5, 0))], [(T, (1, 5, 0))]),
        ["1: 1062 t u (1, 5, 0)"],
    ),
    "missing rows": (
        Case([tx(1, updated(T, (1, 5, 0), (1, 5, 1))), tx(2, deleted(T, 1, 5, 1)), tx(3, deleted(T, 2, 6, 0))]),
        ["1: 1032 t PRIMARY None", "3: 1032 t PRIMARY None"],
    ),
    "a row in the way of a repair is none in the applier's way": (
        Case([tx(1, deleted(T, 1, 5, 0)), tx(2, updated(T, (9, 5, 0), (9, 5, 1)))], [(T, (9, 5, 0))]),
        ["1: 1032 t PRIMARY None"],
    ),
    "NULL in a key collides with nothing": (
        Case([tx(1, inserted(PAIR, 1, None, 3), inserted(PAIR, 2, 2, None))], [(PAIR, (3, None, 3)), (PAIR, (4, 2, None))]),
        [],
    ),
    "a key of two columns": (
        Case([tx(1, inserted(PAIR, 1, 2, 3))], [(PAIR, (3, 2, 3)), (PAIR, (4, 2, 4))]),
        ["1: 1062 pair bc (3, 2, 3)"],
    ),
    "equal rows without a key are counted": (
        Case(
            [tx(1, deleted(NAMELESS, 1, 1)), tx(2, deleted(NAMELESS, 1, 1)), tx(3, inserted(NAMELESS, 1, 1)), tx(4, deleted(NAMELESS, 1, 1))],
            [(NAMELESS, (1, 1))],
        ),
        ["2: 1032 nameless  None"],
    ),
    "texts that the replica takes for one": (
        Case([tx(1, inserted(WORDS, 1, "a")), tx(2, updated(WORDS, (1, "a"), (1, "B")))], [(WORDS, (8, "A")), (WORDS, (9, "b"))]),
        ["1: 1062 words w (8, 'A')", "2: 1062 words w (9, 'b')"],
    ),
    "a row that is named by a text": (
        Case([tx(1, updated(NAMED_BY_WORD, ("a", 1), ("A", 1))), tx(2, inserted(NAMED_BY_WORD, "b", 2))], [(NAMED_BY_WORD, ("A", 1)), (NAMED_BY_WORD, ("B", 1))]),
        ["2: 1062 word PRIMARY ('B', 1)"],
    ),
    "two rows of the backlog that a collation of the replica takes for one": (
        Case(
            [tx(1, inserted(WORDS, 1, "a")), tx(2, inserted(WORDS, 2, "A")), tx(3, deleted(WORDS, 1, "a"))],
            theirs=[replace(WORDS, columns=(WORDS.columns[0], replace(WORDS.columns[1], collation="utf8mb4_bin")))],
        ),
        ["2: 1062 words w None"],
    ),
    "a source that has duplicates itself, under a key that only the replica has": (
        Case(
            [tx(1, inserted(T, 1, 5, 0), inserted(T, 2, 5, 0))],
            theirs=[replace(T, unique_keys=T.unique_keys[:1])],
        ),
        ["1: 1062 t u None"],
    ),
    "a key over the beginning of a text": (
        Case([tx(1, inserted(BEGINNINGS, 1, "abc"))], [(BEGINNINGS, (2, "abx"))]),
        ["1: 1062 begin w (2, 'abx')"],
    ),
    "a key over an expression": (
        Case([tx(1, deleted(SUMS, 1, 2, 3)), tx(2, inserted(SUMS, 2, 2, 3)), tx(3, inserted(SUMS, 3, 4, 4))], [(SUMS, (1, 2, 3)), (SUMS, (9, 4, 4))]),
        ["3: 1062 sums f (9, 4, 4)"],
    ),
    "images in part": (
        Case(
            [
                tx(1, updated(T, (1, NOT_LOGGED, NOT_LOGGED), (NOT_LOGGED, 6, NOT_LOGGED))),
                tx(2, inserted(T, 2, 5, 0)),
                tx(3, deleted(T, 3, NOT_LOGGED, NOT_LOGGED)),
                tx(4, updated(T, (1, NOT_LOGGED, NOT_LOGGED), (NOT_LOGGED, NOT_LOGGED, 7))),
                tx(5, inserted(T, 4, 6, 0)),
            ],
            [(T, (1, 5, 0))],
            whole_rows=False,
        ),
        ["3: 1032 t PRIMARY None", "5: 1062 t u None"],
    ),
    "TRUNCATE": (
        Case([ddl(1, "TRUNCATE TABLE t"), tx(2, inserted(T, 1, 5, 0)), tx(3, deleted(T, 1, 5, 0))], [(T, (1, 9, 0)), (T, (2, 5, 0))]),
        [],
    ),
    "TRUNCATE after a conflict": (
        Case([tx(1, inserted(T, 1, 5, 0)), ddl(2, "truncate d.t"), tx(3, inserted(T, 2, 5, 0))], [(T, (1, 9, 0)), (T, (2, 5, 0))]),
        ["1: 1062 t PRIMARY (1, 9, 0)", "1: 1062 t u (2, 5, 0)"],
    ),
    "a table that the backlog creates": (
        Case([ddl(1, "CREATE TABLE `n` (id INT)"), tx(2, inserted(N := replace(T, name=TableName("d", "n")), 1, 1, 1), tables=(N,))]),
        [],
    ),
    "CREATE TABLE … SELECT": (
        Case([replace(tx(1, inserted(N, 1, 1, 1), tables=(N,)), statements=(Statement("d", "CREATE TABLE n (id INT) START TRANSACTION"),))]),
        [],
    ),
    "a table that is dropped and created again": (
        Case([ddl(1, "DROP TABLE `t`"), ddl(2, "CREATE TABLE t (x INT)"), tx(3, inserted(T, 1, 1, 1))], [(T, (1, 9, 0))]),
        [],
    ),
    "a column that is added as the last one": (
        Case([ddl(1, "ALTER TABLE t ADD COLUMN x INT"), tx(2, inserted(T, 1, 5, 0))], [(T, (1, 9, 0))]),
        ["2: 1062 t PRIMARY (1, 9, 0)"],
    ),
    "gaps in the executed set": (
        Case([tx(n, inserted(T, n, n, 0)) for n in range(1, 6)], [(T, (n, n, 0)) for n in (1, 2, 3, 5)], executed=f"{SOURCE}:1:3:5"),
        ["2: 1062 t PRIMARY,u (2, 2, 0)"],
    ),
    "a missing parent": (
        Case(
            [tx(1, inserted(CHILD, 1, 7), tables=(CHILD,)), tx(2, inserted(CHILD, 2, 7), tables=(CHILD,)), tx(3, inserted(CHILD, 3, 5), tables=(CHILD,))],
            [(PARENT, (5,))],
            (PARENT, CHILD),
        ),
        ["1: 1452 parent PRIMARY None"],
    ),
    "a parent that the backlog writes": (
        Case([tx(1, inserted(PARENT, 7), inserted(CHILD, 1, 7), tables=(PARENT, CHILD))], (), (PARENT, CHILD)),
        [],
    ),
    "a parent without checks": (
        Case([tx(1, replace(inserted(CHILD, 1, 7), checks_foreign_keys=False), tables=(CHILD,))], (), (PARENT, CHILD)),
        [],
    ),
    "a child too many": (
        Case([tx(1, deleted(PARENT, 5), tables=(PARENT,))], [(PARENT, (5,)), (CHILD, (1, 5))], (PARENT, CHILD)),
        ["1: 1451 child PRIMARY (1, 5)"],
    ),
    "a child that goes before": (
        Case([tx(1, deleted(CHILD, 1, 5), deleted(PARENT, 5), tables=(PARENT, CHILD))], [(PARENT, (5,)), (CHILD, (1, 5))], (PARENT, CHILD)),
        [],
    ),
    "a cascade takes the child along": (
        Case(
            [tx(1, deleted(CARRYING, 5), tables=(CARRYING,)), tx(2, inserted(CARRYING, 5), inserted(CARRIED, 1, 5), tables=(CARRYING, CARRIED))],
            [(CARRYING, (5,)), (CARRIED, (1, 5))],
            (CARRYING, CARRIED),
        ),
        [],
    ),
    "a cascade takes the child along within the transaction": (
        Case(
            [tx(1, deleted(CARRYING, 5), inserted(CARRYING, 5), inserted(CARRIED, 1, 5), tables=(CARRYING, CARRIED))],
            [(CARRYING, (5,)), (CARRIED, (1, 5))],
            (CARRYING, CARRIED),
        ),
        [],
    ),
    "without checks nothing cascades": (
        Case(
            [tx(1, replace(deleted(CARRYING, 5), checks_foreign_keys=False), tables=(CARRYING,)), tx(2, inserted(CARRYING, 5), inserted(CARRIED, 1, 5), tables=(CARRYING, CARRIED))],
            [(CARRYING, (5,)), (CARRIED, (1, 5))],
            (CARRYING, CARRIED),
        ),
        ["2: 1062 child PRIMARY (1, 5)"],
    ),
    "an XA transaction in two halves": (
        Case(
            [replace(tx(1, inserted(T, 1, 5, 0)), prepared=True, xa_id="X'78',X'',1"), ddl(2, "XA COMMIT X'78',X'',1"), tx(3, deleted(T, 1, 5, 0))],
            [(T, (8, 5, 0))],
        ),
        ["1: 1062 t u (8, 5, 0)"],
    ),
    "no other transaction is blamed for a row that was in the way once": (
        Case([tx(1, inserted(T, 1, 5, 0)), tx(2, updated(T, (8, 6, 0), (8, 7, 0))), tx(3, inserted(T, 9, 6, 0))], [(T, (8, 5, 0))]),
        ["1: 1062 t u (8, 5, 0)"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("plain", [True, False], ids=["first touches", "model"])
@pytest.mark.parametrize("name", CASES)
def test_a_backlog_is_followed(name: str, plain: bool) -> None:
    case, expected = CASES[name]
    found = replace(case, whole_rows=case.whole_rows and plain).foretold()
    assert shown(found) == expected
    assert found.scanned.complete, found.scanned.unscanned
    assert {one.conflict.table for one in found.conflicts} == set(found.tables)


UNKNOWN = {
    "a unique key that is added in mid-backlog": (
        Case([tx(1, inserted(T, 1, 5, 0)), ddl(2, "ALTER TABLE t ADD UNIQUE (v)"), tx(3, inserted(T, 2, 6, 0)), tx(4, inserted(PAIR, 1, 2, 3))], [(T, (1, 9, 0)), (T, (2, 9, 1)), (PAIR, (1, 0, 0))], tables=(replace(T, unique_keys=T.unique_keys[:1]), *ALL[1:])),
        ["1: 1062 t PRIMARY (1, 9, 0)", "4: 1062 pair PRIMARY (1, 0, 0)"],
        ["d.t since 2"],
    ),
    "a column that goes": (
        Case([ddl(1, "ALTER TABLE t DROP COLUMN v"), tx(2, inserted(T, 1, 6, 0))], [(T, (1, 9, 0))]),
        [],
        ["d.t since 1"],
    ),
    "a table that gets another name": (
        Case([ddl(1, "RENAME TABLE t TO old, pair TO t"), tx(2, inserted(T, 1, 6, 0))], [(T, (1, 9, 0))]),
        [],
        ["d.old since 1", "d.pair since 1", "d.t since 1"],
    ),
    "a statement": (
        Case([ddl(1, "UPDATE t SET v = 1"), tx(2, inserted(T, 1, 6, 0), inserted(PAIR, 1, 1, 1))], [(T, (1, 9, 0)), (PAIR, (1, 2, 2))]),
        ["2: 1062 pair PRIMARY (1, 2, 2)"],
        ["d.t since 1"],
    ),
    "a statement that may do anything": (
        Case([ddl(1, "CALL p()"), tx(2, inserted(T, 1, 6, 0))], [(T, (1, 9, 0))]),
        ["2: 1062 t PRIMARY (1, 9, 0)"],
        ["CALL since 1"],
    ),
    "a table that is created where the replica has it": (
        Case([ddl(1, "CREATE TABLE t (id INT)"), tx(2, inserted(T, 1, 6, 0))], [(T, (1, 9, 0))]),
        [],
        ["d.t since 1"],
    ),
    "a table that is dropped and not there": (Case([ddl(1, "DROP TABLE gone")]), [], ["d.gone since 1"]),
    "a table that the replica lacks": (
        Case([tx(1, inserted(N, 1, 1, 1), tables=(N,))]), [], ["d.n since 1"],
    ),
    "an XA transaction that was prepared before": (
        Case([ddl(1, "XA COMMIT X'78',X'',1")]), [], ["The rows of the XA transaction X'78',X'',1"],
    ),
    "an XA transaction that is rolled back": (
        Case([replace(tx(1, inserted(T, 1, 5, 0)), prepared=True, xa_id="X'78',X'',1"), ddl(2, "XA ROLLBACK X'78',X'',1"), tx(3, inserted(T, 1, 5, 0))]),
        [],
        ["d.t since 2"],
    ),
    "a statement that changes no rows": (Case([ddl(1, "GRANT SELECT ON d.* TO u")]), [], ["1 statement that change no rows (GRANT SELECT)"]),
    "images in part after whole ones": (
        Case([tx(1, inserted(T, 1, 5, 0)), tx(2, deleted(T, 2, NOT_LOGGED, NOT_LOGGED))]), [], ["d.t since 2"],
    ),
    "what cannot be read": (
        Case([tx(1, inserted(T, 1, 5, 0)), PassedOver(f"{SOURCE}:2", "b.1", 4, WHEN, 1, 1, None, "It is damaged."), tx(3, inserted(T, 2, 5, 0))], [(T, (1, 5, 0))]),
        ["1: 1062 t PRIMARY,u (1, 5, 0)"],
        [f"{SOURCE}:2 and all that follows it since 2"],
    ),
    "the relay log alone": (
        Case([tx(1, inserted(T, 1, 5, 0))], [(T, (1, 5, 0))], source_is_down=True),
        ["1: 1062 t PRIMARY,u (1, 5, 0)"],
        ["What the replica has not received yet"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_looked_at_is_named(name: str) -> None:
    case, conflicts, unscanned = UNKNOWN[name]
    found = case.foretold()
    assert shown(found) == conflicts
    assert not found.scanned.complete
    named = [
        str(each.what) + (f" since {(each.since.gtid or '').rpartition(':')[2]}" if each.since else "")
        for each in found.scanned.unscanned
    ]
    for expected in unscanned:
        assert any(each == expected or each.startswith(expected) for each in named) or (
            expected == "CALL since 1" and any("CALL p()" in each.why for each in found.scanned.unscanned)
        ), named


def test_what_the_applier_overwrites_is_said_when_it_is_asked_for() -> None:
    case = Case(
        [tx(1, updated(T, (1, 5, 0), (1, 5, 1))), tx(2, deleted(T, 1, 5, 1)), tx(3, deleted(T, 2, 6, 0))],
        [(T, (1, 5, 9)), (T, (2, 7, 0))],
    )
    assert shown(case.foretold()) == []
    assert shown(case.foretold(values=True)) == ["1: overwrites t PRIMARY (1, 5, 9)", "3: deletes_silently t PRIMARY (2, 7, 0)"]  # fmt: skip


def test_a_row_that_differs_is_in_the_way_by_what_the_applier_writes() -> None:
    case = Case([tx(1, updated(T, (1, 5, 0), (1, 5, 1)))], [(T, (1, 8, 0)), (T, (2, 5, 0))])
    assert shown(case.foretold()) == ["1: 1062 t u (2, 5, 0)"]


@pytest.mark.parametrize(
    ("settings", "effects"),
    [
        ({"replica_exec_mode": "IDEMPOTENT"}, ["1: overwrites t PRIMARY (1, 9, 0)"]),
        ({"replica_skip_errors": "1062"}, ["2: 1032 t PRIMARY None"]),
        ({"replica_skip_errors": "ALL"}, []),
    ],
)
def test_an_applier_that_does_not_stop(settings: dict[str, str], effects: list[str]) -> None:
    case = Case([tx(1, inserted(T, 1, 5, 0)), tx(2, deleted(T, 7, 5, 0))], [(T, (1, 9, 0))], settings=settings)
    found = case.foretold(values=True)
    assert shown(found) == effects
    assert any("passes over" in each.what for each in found.scanned.unscanned)


def test_mariadbs_applier_takes_a_row_by_a_nullable_key() -> None:
    of = table("d.t", [column("u", nullable=True), column("v", nullable=True)], [key("u", "u")])
    case = Case(
        [tx(1, updated(of, (1, 5), (1, 6)), tables=(of,)), tx(2, updated(of, (1, 6), (2, 6)), tables=(of,)), tx(3, inserted(of, 1, 0), tables=(of,))],
        [(of, (1, 9))],
        (of,),
    )  # fmt: skip
    assert shown(case.foretold()) == ["1: 1032 t  None", "1: 1062 t u (1, 9)"]
    source, replica = case.servers()
    status = replica.status
    replica.status = lambda: replace(status(), version="11.8.6-MariaDB")  # type: ignore[method-assign]
    assert shown(forecast(replica, lambda _: source, None, Clock(), UNBOUND, lambda _: None)) == []


@pytest.mark.parametrize(
    ("bounds", "named"),
    [(Bounds(1, None, 1 << 30), "--max-rows"), (Bounds(None, -1.0, 1 << 30), "--max-seconds"), (Bounds(None, None, -1), "--max-memory")],
)  # fmt: skip
def test_a_limit_is_named_with_where_it_was_reached(bounds: Bounds, named: str) -> None:
    case = Case([tx(1, inserted(T, 1, 5, 0)), tx(2, inserted(T, 2, 6, 0))], [(T, (1, 9, 0)), (T, (2, 9, 1))], tables=(replace(T, unique_keys=T.unique_keys[:1]),))  # fmt: skip
    found = case.foretold(bounds)
    (unscanned,) = found.scanned.unscanned
    assert named in unscanned.why
    assert unscanned.since is not None
    assert len(found.conflicts) == found.scanned.transactions < 2


def test_what_was_applied_meanwhile_is_left_out() -> None:
    source, replica = Case(
        [tx(1, inserted(T, 1, 5, 0)), tx(2, inserted(T, 2, 6, 0))], [(T, (1, 5, 0)), (T, (2, 9, 0))]
    ).servers()
    replica.applier_running = True
    named = iter([GtidSet(), GtidSet.parse(f"{SOURCE}:1")])
    status = replica.status
    replica.status = lambda: replace(status(), executed=next(named))  # type: ignore[method-assign]
    found = forecast(replica, lambda _: source, None, Clock(), UNBOUND, lambda _: None)
    assert shown(found) == ["2: 1062 t PRIMARY (2, 9, 0)"]


def test_progress_says_how_far_it_is() -> None:
    source, replica = Case([tx(n, inserted(T, n, n, 0)) for n in range(1, 4)]).servers()
    told: list[str | Advance] = []
    forecast(replica, lambda _: source, None, Clock(), UNBOUND, told.append)
    assert [(each.done, each.total, each.unit) for each in told if isinstance(each, Advance)] == [
        (1, 3, "transactions"),
        (3, 3, "transactions"),
    ]
