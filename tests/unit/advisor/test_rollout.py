"""Increments, offsets and the order of a change, on topologies made by hand."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from replfix.core.advisor.allocation import left, next_ids
from replfix.core.advisor.node import IncrementSetting, Node
from replfix.core.advisor.offsets import apart, choose
from replfix.core.advisor.recommend import conclude
from replfix.core.advisor.rollout import Rollout, rollout
from replfix.core.advisor.simulation import IdAllocator, simulate
from replfix.core.advisor.survey import Edge, Survey
from replfix.core.schema.table import TableName
from replfix.errors import UsageError
from replfix.present.page.advice_page import Advice, advice_page
from replfix.present.page.markdown_page import markdown
from replfix.present.page.rich_page import page_text
from tests.unit.advisor.making_topologies import NOW, ORDERS, circle, node
from tests.unit.making import column, key

STEPS = st.integers(1, 20).flatmap(
    lambda increment: st.builds(IncrementSetting, st.just(increment), st.integers(1, increment))
)


def planned(survey: Survey, count: int | None = None) -> Rollout:
    plan = rollout(survey, count)
    assert plan is not None
    return plan


def steps(plan: Rollout) -> list[str]:
    return [str(place.step) for place in plan.places.each]


@pytest.mark.parametrize(
    ("now", "writers", "then"),
    [
        (["1/1", "1/1"], 2, ["10/1", "10/2"]),
        (["1/1", "1/1", "1/1"], 3, ["10/1", "10/2", "10/3"]),
        (["1/1", "1/1"], 6, ["100/1", "100/2", "100/3", "100/4", "100/5", "100/6"]),
        (["2/1", "2/2"], 2, ["2/1", "2/2"]),  # right already: room for more was not asked for
        (["2/1", "2/2"], 3, ["10/1", "10/2", "10/3"]),  # in each server's own class
        (["3/1", "3/2"], 4, ["9/1", "9/2", "9/3", "9/4"]),  # ten is no multiple of three
        (["4/1", "4/3"], 4, ["4/1", "4/3", "4/2", "4/4"]),
        (["10/1", "10/1"], 2, ["10/1", "10/2"]),  # one server changes
        (["2/2", "2/2"], 2, ["10/2", "10/1"]),
        (["10/15", "10/5"], 2, ["10/1", "10/5"]),  # an offset above the increment is of the class of another one
        (["1/1"], 2, ["10/1", "10/2"]),
    ],
)
def test_what_is_right_stays_and_the_rest_gets_room(now: list[str], writers: int, then: list[str]) -> None:
    nodes = [node(number, *map(int, step.split("/"))) for number, step in enumerate(now, start=1)]
    assert [str(place.step) for place in choose(nodes, writers).each] == then


@given(st.lists(STEPS, min_size=1, max_size=6), st.integers(0, 20))
def test_the_writers_of_any_plan_are_apart(now: list[IncrementSetting], more: int) -> None:
    nodes = [node(number, step.increment, step.offset) for number, step in enumerate(now, start=1)]
    writers = max(2, len(nodes) + more)
    places = choose(nodes, writers)
    chosen = [place.step for place in places.each]
    assert len(chosen) == writers <= places.increment
    assert apart(chosen)
    assert all(1 <= step.offset <= step.increment == places.increment for step in chosen)
    numbers = [set(next_ids(1000, step, 50)) for step in chosen]
    assert not any(a & b for a, b in combinations(numbers, 2))
    if apart(now) and len({step.increment for step in now}) == 1 and places.increment % now[0].increment == 0:
        for had, place in zip(now, places.each, strict=False):
            assert all(had.gives(n) for n in next_ids(1000, place.step, 5)), "each stays in the class that it has"


@pytest.mark.parametrize("writers", [0, 1, 2, 101])
def test_a_number_of_writers_that_cannot_be(writers: int) -> None:
    with pytest.raises(UsageError, match="writers") as refused:
        choose([node(1), node(2), node(3)], writers)
    assert "--writers" in refused.value.hint


def test_no_plan_for_a_single_writer_unless_asked() -> None:
    alone = Survey(NOW, (node(1),), ())
    assert rollout(alone) is None
    assert steps(planned(alone, 2)) == ["10/1", "10/2"]


def test_the_order_of_a_change_that_has_to_hold_writes() -> None:
    plan = planned(circle(node(1), node(2, own=99, counter=120)))
    assert plan.holds
    assert [(action.nodes, action.sql) for action in plan.actions if action.title.split()[0] != "Reconnect"] == [
        (("primary1", "primary2"), ("SHOW REPLICA STATUS",)),
        (("primary1", "primary2"), ("SET GLOBAL super_read_only = ON",)),
        (("primary1", "primary2"), ("SELECT @@GLOBAL.gtid_executed",)),
        (("primary1",), ("SET PERSIST auto_increment_increment = 10", "SET PERSIST auto_increment_offset = 1")),
        (("primary2",), ("SET PERSIST auto_increment_increment = 10", "SET PERSIST auto_increment_offset = 2")),
        (("primary2",), ("SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF")),  # it writes most
        (
            ("primary2",),
            ("SET PERSIST auto_increment_increment = 10", "SET PERSIST auto_increment_offset = 2"),
        ),  # again
        (("primary2", "primary1"), ("SELECT @@GLOBAL.gtid_executed",)),
        (("primary1",), ("SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF")),
        (("primary1", "primary2"), ("SHOW GLOBAL VARIABLES LIKE 'auto_increment%'",)),
    ]
    titles = [action.title for action in plan.actions]
    sessions = [at for at, title in enumerate(titles) if title.startswith("Reconnect every session")]
    assert [plan.actions[at].nodes for at in sessions] == [("primary1",), ("primary2",)]
    assert titles.index("Let primary1 accept writes again.") > max(sessions) + 1, "caught up after the last old session"
    assert [n.ids for n in plan.next_ids] == [(121, 131, 141), (122, 132, 142)]
    assert plan.collisions_now > 100
    assert plan.collisions_after == 0
    assert [action.sql for action in plan.back] == [
        ("SET GLOBAL super_read_only = ON",),
        ("SELECT @@GLOBAL.gtid_executed",),
        *[
            (
                "RESET PERSIST IF EXISTS auto_increment_increment",
                "SET GLOBAL `auto_increment_increment` = 1",
                "RESET PERSIST IF EXISTS auto_increment_offset",
                "SET GLOBAL `auto_increment_offset` = 1",
            )
        ]
        * 2,
    ]


def test_a_change_within_each_servers_own_numbers_holds_nobody() -> None:
    plan = planned(circle(node(1, 2, 1), node(2, 2, 2)), 3)
    assert not plan.holds
    assert not any("read_only" in statement for action in plan.actions for statement in action.sql)
    assert any("1 writer to come" in note and "offset = 3" in note for note in plan.notes)
    assert (plan.collisions_now, plan.collisions_after) == (0, 0)


def test_values_that_a_restart_would_lose_are_set_to_stay() -> None:
    plan = planned(circle(node(1, 10, 1, persisted=True), node(2, 10, 2)))
    assert not plan.holds
    assert [action.nodes for action in plan.actions] == [("primary2",), ("primary1", "primary2")]
    done = planned(circle(node(1, 10, 1, persisted=True), node(2, 10, 2, persisted=True)))
    assert (done.actions, done.back) == ((), ())
    page = advice_page(
        Advice(conclude(circle(node(1, 10, 1, persisted=True), node(2, 10, 2, persisted=True))), rollout=done)
    )
    assert "nothing to do" in markdown(page)


def test_servers_that_do_not_see_each_others_rows_move_their_counters() -> None:
    east, west = node(1, counter=5000), node(2, counter=800)
    replica = Edge(east.uuid, "r", "east", True), Edge(west.uuid, "r", "west", True)
    below = node(3)
    edges = tuple(Edge(edge.source, below.uuid, edge.channel, True) for edge in replica)
    read_only = Node(**{f: getattr(below, f) for f in Node.__slots__} | {"read_only": True, "name": "replica1"})
    plan = planned(Survey(NOW, (east, west, read_only), edges))
    assert steps(plan) == ["10/1", "10/2"]
    moved = {action.nodes: action.sql for action in plan.actions if any("ALTER" in s for s in action.sql)}
    assert moved[("primary2",)] == (
        "SET GLOBAL super_read_only = OFF",
        "SET SESSION sql_log_bin = 0",
        "ALTER TABLE `shop`.`orders` AUTO_INCREMENT = 6001",
        "SET SESSION sql_log_bin = 1",
        "SET GLOBAL read_only = OFF",
    )
    assert ("primary1",) not in moved
    assert any(note.startswith("replica1 does not write now") for note in plan.notes)


def test_mariadb_is_told_what_it_knows() -> None:
    plan = planned(circle(node(1, version="11.8.6-MariaDB"), node(2, version="11.8.6-MariaDB")))
    said = {statement for action in (*plan.actions, *plan.back) for statement in (*action.sql, *action.undo)}
    assert not any("PERSIST" in statement or "super_read_only" in statement for statement in said)
    assert "SET GLOBAL `auto_increment_offset` = 2" in said
    assert any("option file" in note for note in plan.notes)


def test_a_column_that_is_too_small_for_the_increment_is_named() -> None:
    plan = planned(circle(node(1, counter=90, data_type="tinyint"), node(2, counter=90, data_type="tinyint")))
    (note,) = (note for note in plan.notes if "tinyint" in note)
    assert "4 numbers for primary1, 4 numbers for primary2 left with an increment of 10" in note
    assert "With an increment of 2, the least for 2 writers, it is 19, 19." in note
    assert "Widen the column first (ALTER TABLE `shop`.`orders` MODIFY `id` BIGINT" in note


@pytest.mark.parametrize(("data_type", "named"), [("smallint", True), ("mediumint", True), ("int", False)])
def test_small_types_are_named_however_little_is_used(data_type: str, named: bool) -> None:
    plan = planned(circle(node(1, counter=2, data_type=data_type), node(2, counter=2, data_type=data_type)))
    assert any(data_type in note for note in plan.notes) == named


def test_keys_that_no_offset_keeps_apart_are_in_the_plan() -> None:
    def with_keys(number: int) -> Node:
        bare = node(number)
        table = bare.tables[ORDERS]
        columns = {
            **table.columns,
            "email": column("email", "varchar"),
            "uid": column("uid", "binary", column_type="binary(16)"),
        }
        keys = (*table.unique_keys, key("by_email", "email"), key("by_uid", "uid"), key("both", "email", "id"))
        return replace(bare, tables={ORDERS: replace(table, columns=columns, unique_keys=keys)})

    notes = planned(circle(with_keys(1), with_keys(2))).notes
    assert any("do not keep 1 key apart" in note and "shop.orders (email)" in note for note in notes)
    assert any("1 key of a type for UUIDs" in note and "shop.orders (uid)" in note for note in notes)


def test_the_text_says_all_of_it_and_nothing_that_a_terminal_obeys() -> None:
    evil = TableName("shop", "or\x1b[2Jders")
    survey = circle(node(1, table=evil), node(2, table=evil))
    plan = planned(survey, 3)
    written = StringIO()
    console = Console(file=written, width=160, markup=False)
    for part in page_text(advice_page(Advice(conclude(survey), rollout=plan))):
        console.print(part, crop=False)
    text = written.getvalue()
    assert "\x1b" not in text
    assert "Of these 2,000 rows 1,000 get a number that is taken (error 1062) as the servers are now, and none" in (
        " ".join(text.split())
    )
    for action in (*plan.actions, *plan.back):
        for statement in action.sql:
            assert f"{statement};" in text


@given(st.lists(st.builds(IdAllocator, st.integers(1, 30), STEPS), min_size=1, max_size=4), st.integers(0, 30))
def test_simulated_collisions_are_those_of_the_numbers_given(hands: list[IdAllocator], rows: int) -> None:
    """While no row arrives, by sets."""
    given_ = [list(next_ids(hand.counter, hand.step, rows)) for hand in hands]
    outcome = simulate(hands, rows, in_flight=rows)
    assert outcome.rows == rows * len(hands)
    assert outcome.collisions == outcome.rows - len({number for numbers in given_ for number in numbers})


def test_rows_that_have_arrived_move_the_counters_of_those_that_see_them() -> None:
    apart_by_one = (
        IdAllocator(1, IncrementSetting(1, 1), frozenset({1})),
        IdAllocator(2, IncrementSetting(1, 1), frozenset({0})),
    )
    assert simulate(apart_by_one, 10, in_flight=10).collisions == 9  # 1-10 and 2-11
    assert simulate(apart_by_one, 10, in_flight=0).collisions == 9  # the lower one is told, and then they are equal
    ahead = (IdAllocator(1, IncrementSetting(1, 1), frozenset({1})), IdAllocator(500, IncrementSetting(1, 1)))
    assert (
        simulate(ahead, 10, in_flight=3).collisions == 6
    )  # after 4 rows it is told of 500, and gives 501-506, which are taken


def test_a_type_that_is_full_gives_nothing_more() -> None:
    assert simulate((IdAllocator(125, IncrementSetting(1, 1)),), 10, 0, limit=127).rows == 3
    assert list(next_ids(120, IncrementSetting(10, 3), 9, 127)) == [123]
    assert (left(120, IncrementSetting(10, 3), 127), left(124, IncrementSetting(10, 3), 127)) == (1, 0)


def test_servers_that_never_meet_need_no_common_plan() -> None:
    one, other = circle(node(1), node(2)), circle(node(3), node(4))
    both = Survey(NOW, (*one.nodes, *other.nodes), (*one.edges, *other.edges))
    with pytest.raises(UsageError, match="primary1, primary2; primary3, primary4") as refused:
        rollout(both, 4)
    assert "Name the servers" in refused.value.hint
    assert rollout(both) is None
    alone = Survey(NOW, (node(1), node(2)), ())
    assert rollout(alone) is None
    assert steps(planned(alone, 2)) == ["10/1", "10/2"], "before they are connected"


def test_a_replica_that_is_written_to_waits_for_its_source_and_the_source_for_nobody() -> None:
    source, replica = node(1, own=99), node(2, counter=50)
    survey = Survey(NOW, (source, replica), (Edge(source.uuid, replica.uuid, "", True),))
    plan = planned(survey)
    assert [(action.title, action.nodes) for action in plan.actions if action.title.startswith("Wait")] == [
        ("Wait until primary2 has all that its sources have written.", ("primary1", "primary2")),
        ("Wait until all that primary1 has written until now is on those that it reaches.", ("primary1", "primary2")),
    ]
    assert [n.ids[0] for n in plan.next_ids] == [2001, 102], "the source does not see what the replica gives"
