"""What the advisor concludes from: steps, writers, growth; and what it says without a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console

from replfix.core.advisor.head_room import head_rooms
from replfix.core.advisor.node import Channel, IncrementSetting, Inserts, KeyTable, LogSample, Node, Setting, Used
from replfix.core.advisor.pointer import keep_apart
from replfix.core.advisor.recommend import conclude
from replfix.core.advisor.rollout import rollout
from replfix.core.advisor.survey import Edge, Survey
from replfix.core.advisor.writers import circle_of, overlap, writers
from replfix.core.diagnosis.finding import Severity
from replfix.core.remedies.remedy import Fix
from replfix.core.replication.gtid import GtidSet
from replfix.core.schema.auto_increment import Counter
from replfix.core.schema.table import TableName
from replfix.mysql.binlog.activity import states, worked_with
from replfix.present.page.advice_page import Advice, advice_page
from replfix.present.page.page_model import Symbol, plain
from replfix.present.page.rich_page import page_text
from tests.unit.making import column, key, table

NOW = datetime(2026, 1, 31, tzinfo=UTC)
ALONE = IncrementSetting(1, 1)
ORDERS = TableName("shop", "orders")


def uuid(number: int) -> str:
    return f"{number:08d}-0000-0000-0000-000000000000"


def orders(highest: int, data_type: str = "int", **more: bool) -> KeyTable:
    id_ = column("id", data_type, auto_increment=True, **more)
    return KeyTable(
        ORDERS, "InnoDB", {"id": id_}, (key("PRIMARY", "id"),), Counter(id_, highest + 1, highest), "PRIMARY"
    )


def log(rows: int, over: timedelta, *used: Used) -> LogSample:
    return LogSample(NOW - over, NOW, rows, NOW, True, used, inserts={ORDERS: Inserts(rows, 1, rows)})


def node(number: int, step: IncrementSetting = ALONE, *sources: int, executed: str = "", **more: object) -> Node:
    made = Node(
        uuid=uuid(number),
        name=f"db{number}",
        address=f"10.0.0.{number}:3306",
        server_id=number,
        version="9.7.4",
        read_only=False,
        super_read_only=False,
        increment=Setting(step.increment, persisted=step.increment, origin="persisted"),
        offset=Setting(step.offset, persisted=step.offset, origin="persisted"),
        executed=GtidSet.parse(executed or f"{uuid(number)}:1-9"),
        channels=tuple(Channel("", uuid(s), f"10.0.0.{s}", 3306, True, False) for s in sources),
        tables={ORDERS: orders(100)},
        log=log(10, timedelta(days=1)),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def survey(*nodes: Node) -> Survey:
    edges = tuple(Edge(c.source_uuid, n.uuid, c.name, c.running) for n in nodes for c in n.channels)
    return Survey(NOW, nodes, edges)


def codes(*nodes: Node) -> list[tuple[str, str]]:
    return [(f.code, f.severity.value) for f in conclude(survey(*nodes)).findings]


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ((1, 1), (1, 1), True),
        ((2, 1), (2, 2), False),
        ((2, 1), (4, 2), False),
        ((2, 1), (4, 3), True),
        ((2, 1), (3, 2), True),  # 5, 11, …
        ((10, 3), (10, 3), True),
        ((2, 1), (2, 4), False),  # 4 is of the class of 2
        ((2, 1), (1, 1), True),
    ],
)
def test_steps_that_meet(one: tuple[int, int], other: tuple[int, int], meet: bool) -> None:
    a, b = IncrementSetting(*one), IncrementSetting(*other)
    assert overlap(a, b) is meet
    both = [n for n in range(2, 200) if a.gives(n) and b.gives(n)]
    assert bool(both) is meet


def test_a_step_as_the_servers_take_it() -> None:
    """The numbers are those that MySQL 9.7.4, MariaDB 10.11 and 11.8 gave."""
    step = IncrementSetting(5, 7)
    numbers = [1]
    while len(numbers) < 5:
        numbers.append(step.next_after(numbers[-1] if len(numbers) > 1 else 6))
    assert numbers == [1, 7, 12, 17, 22]
    assert all(step.gives(n) for n in (*numbers, 1007, 1012))
    assert [IncrementSetting(3, 3).next_after(n) for n in (0, 3, 1000)] == [3, 6, 1002]


def test_who_writes_and_whose_rows_come_together() -> None:
    circle = survey(
        node(1, IncrementSetting(1, 1), 3),
        node(2, IncrementSetting(1, 1), 1),
        node(3, IncrementSetting(1, 1), 2, log=None),
    )
    assert [n.name for n in writers(circle)] == ["db1", "db2", "db3"], "in a circle each open server counts"
    assert len(circle_of(circle, circle.nodes[0])) == 3
    alone = survey(node(1), node(2, IncrementSetting(1, 1), 1, log=log(0, timedelta(1))))
    assert [n.name for n in writers(alone)] == ["db1"]
    apart = survey(node(1), node(2))
    assert len(circle_of(apart, apart.nodes[0])) == 1, "two servers that nobody joins"
    joined = survey(node(1), node(2), node(3, IncrementSetting(1, 1), 1, 2, read_only=True, log=log(0, timedelta(1))))
    assert [n.name for n in circle_of(joined, joined.nodes[0])] == ["db1", "db2"]


@pytest.mark.parametrize("super_read_only", [True, False])
def test_read_only_now_and_one_stray_write_is_one_warning(super_read_only: bool) -> None:
    source = node(1, executed=f"{uuid(1)}:1-9")
    executed = f"{uuid(1)}:1-9,{uuid(2)}:1"
    replica = node(2, ALONE, 1, read_only=True, super_read_only=super_read_only, executed=executed)
    strayed = survey(source, replica)
    assert [n.name for n in writers(strayed)] == ["db1"]
    assert rollout(strayed) is None
    (finding,) = conclude(strayed).findings
    assert (finding.code, finding.severity, finding.node) == ("stray-write", Severity.WARNING, "db2")
    assert "1 transaction of its own" in finding.message
    assert finding.fixes == (Fix("'replfix errant' shows what they changed, and the options"),)


def test_what_is_no_stray_write() -> None:
    arrived = f"{uuid(1)}:1-9,{uuid(2)}:1"
    replica = node(2, ALONE, 1, read_only=True, executed=arrived)
    assert codes(node(1, executed=arrived), replica) == [], "a former source"
    assert codes(replica) == [], "its source was not read"
    assert codes(node(1, ALONE, 2), replica) == [], "in a circle, on its way"
    open_ = replace(replica, read_only=False)
    assert "same-numbers" in dict(codes(node(1), open_)), "it accepts writes: a second writer"


@pytest.mark.parametrize(
    ("nodes", "symbol", "said"),
    [
        ((node(1),), Symbol.OK, "nothing was found."),
        ((node(1, IncrementSetting(2, 1)),), Symbol.OK, "nothing needs doing. Found 1 info."),
        ((node(1, ALONE, 2), node(2, ALONE, 1)), Symbol.NO, "found 2 critical."),
        ((node(1, ALONE, 2, tables={}), node(2, ALONE, 1, tables={})), Symbol.OK, "nothing was found."),
    ],
)
def test_a_page_has_one_verdict(nodes: tuple[Node, ...], symbol: Symbol, said: str) -> None:
    """No number is called taken below it where nothing was found."""
    page = advice_page(Advice(conclude(survey(*nodes))))
    assert (page.symbol, said in plain(page.title)) == (symbol, True), plain(page.title)
    text = StringIO()
    Console(file=text, width=200, markup=False).print(*page_text(page))
    assert ("✘" in text.getvalue()) == (symbol is Symbol.NO)
    assert ("from more than one server" in text.getvalue()) == (symbol is Symbol.NO)


def test_growth_and_its_uncertainty() -> None:
    two = survey(
        node(1, IncrementSetting(2, 1), 2, log=log(10_000, timedelta(days=10))),
        node(2, IncrementSetting(2, 2), 1, log=log(2_500, timedelta(days=10))),
    )
    (room,) = head_rooms(two)
    assert room.per_day is not None
    low, high = room.per_day
    assert (round(low), round(high)) == (1960, 2560)  # (10,000 - 2·100)·2/10 to (12,500 + 2·100 + 2·50)·2/10
    assert (room.rows, room.span) == (12_500, timedelta(days=10))
    short = survey(node(1, log=log(10_000, timedelta(minutes=1))))
    few = survey(node(1, log=log(99, timedelta(days=30))))
    assert [room.per_day for found in (short, few) for room in head_rooms(found)] == [None, None]


@pytest.mark.parametrize(
    ("highest", "a_day", "severity"),
    [
        (32_000, 0, Severity.WARNING),  # 97.7 %
        (32_500, 0, Severity.CRITICAL),
        (20_000, 20, None),  # for 638 days
        (20_000, 100, Severity.WARNING),
        (20_000, 1000, Severity.CRITICAL),
    ],
)
def test_head_room(highest: int, a_day: int, severity: Severity | None) -> None:
    full = node(1, tables={ORDERS: orders(highest, "smallint")}, log=log(a_day * 100, timedelta(days=100)))
    found = [f for f in conclude(survey(full)).findings if f.code == "head-room"]
    assert [f.severity for f in found] == ([] if severity is None else [severity])
    if found:
        assert found[0].fixes[-1].sql[-1].startswith("ALTER TABLE `shop`.`orders` MODIFY `id` BIGINT UNSIGNED")


def test_values_of_before_the_last_change_are_no_fault() -> None:
    changed = NOW - timedelta(hours=1)

    def one(at: datetime) -> Node:
        used = (Used(IncrementSetting(1, 1), 3, at, "gtid"),)
        made = node(1, IncrementSetting(2, 1), 2, log=log(10, timedelta(days=1), *used))
        return replace(made, increment=replace(made.increment, since=changed))

    other = node(2, IncrementSetting(2, 2), 1)
    assert codes(one(changed - timedelta(seconds=1)), other) == []
    assert codes(one(changed + timedelta(seconds=1)), other) == [("sessions-differ", "critical")]


def test_what_a_restart_makes_of_a_setting() -> None:
    assert Setting(2, persisted=2, origin="session").after_restart == 2
    assert Setting(2, persisted=4, origin="session").after_restart == 4
    assert Setting(2, origin="file", path="/etc/my.cnf").after_restart == 2
    assert Setting(1, origin="default").after_restart == 1
    assert Setting(2, origin="session").after_restart is None
    maria = node(2, IncrementSetting(2, 2), 1, version="11.8.6-MariaDB", offset=Setting(2, origin="session"))
    assert codes(node(1, IncrementSetting(2, 1), 2), maria) == [("lost-on-restart", "info")]


def test_the_auto_increment_values_of_a_query_event() -> None:
    """The status variables as MySQL 9.7.4 wrote them."""
    without = bytes.fromhex("0000000000012000a04500000000060373746404ff00ff00ff0012ff00")
    on_source = bytes.fromhex("0000000000012000a045000000000603737464030500070004ff00ff00ff0012ff00")
    on_replica = bytes.fromhex("0000000000012000a84500000000030300030004ff00ff00ff0012ff00")
    assert [worked_with(v) for v in (without, on_source, on_replica, b"")] == [
        IncrementSetting(1, 1), IncrementSetting(5, 7), IncrementSetting(3, 3), IncrementSetting(1, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "stated"),
    [
        ("INSERT INTO orders (amount, id) VALUES (1, 7)", True),
        ("insert into shop.`orders` (`ID`) values ('7')", True),
        ("INSERT INTO orders VALUES (7, 1)", True),
        ("REPLACE INTO orders VALUES (7, 1)", True),
        ("INSERT INTO orders (amount, id) VALUES (7, NULL), (7, 7)", False),
        ("INSERT INTO orders VALUES (0, 7)", False),
        ("INSERT INTO orders VALUES (DEFAULT, 7)", False),
        ("INSERT INTO orders (amount) VALUES (7)", False),
        ("INSERT INTO orders VALUES (LAST_INSERT_ID() + 1, 7)", False),
        ("INSERT INTO others VALUES (7, 7)", False),
        ("INSERT INTO orders SELECT 7, 7", False),
        ("INSERT INTO orders VALUES (7)", False),  # of a table that had another definition
        ("", False),
    ],
)
def test_statements_that_give_the_id_themselves(statement: str, stated: bool) -> None:
    id_ = column("id", auto_increment=True)
    of = table("shop.orders", [id_, column("amount")], [key("PRIMARY", "id")])
    assert states(statement, of, 0) is stated


def test_incidents_point_at_what_let_them_happen() -> None:
    assert "'replfix advise', finding same-numbers or stray-write." in keep_apart(["local-write", "two-writers"])
    assert "finding counter-behind." in keep_apart(["auto-increment-behind"])
    assert keep_apart(["local-write"]) == ""
