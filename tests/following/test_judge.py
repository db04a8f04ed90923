"""The judge of the follower, on what a server held before and holds after."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from replfix.core.replication.gtid import GtidSet
from tests.following.follower import ways
from tests.following.judge import differing, gone, unnamed_losses
from tests.following.looking import Held, Seen


def seen(**tables: Held) -> Seen:
    return Seen({f"d.{name}": held for name, held in tables.items()}, GtidSet(), (True, None), None)


def held(columns: str, *rows: tuple[str | None, ...]) -> Held:
    return Held(tuple(columns.split()), Counter(rows), "")


BEFORE = seen(t=held("id secret", ("1", "x"), ("2", None)))


def test_a_column_that_is_dropped_is_gone_with_its_values() -> None:
    assert gone(BEFORE, seen(t=held("id", ("1",), ("2",)))) == {"d.t.secret": 1}


def test_a_table_that_is_dropped_is_gone_with_its_rows_and_one_that_is_renamed_is_not() -> None:
    assert gone(BEFORE, seen()) == {"d.t": 2}
    assert gone(BEFORE, seen(t_saved=BEFORE.tables["d.t"])) == {}


def test_a_value_that_is_cut_is_gone_and_a_column_that_is_added_takes_nothing() -> None:
    assert gone(BEFORE, seen(t=held("id secret more", ("1", "", "5"), ("2", None, "5")))) == {"d.t": 1}
    assert gone(BEFORE, seen(t=held("more id secret", ("5", "1", "x"), ("5", "2", None)))) == {}


def test_a_null_that_becomes_a_value_is_not_gone() -> None:
    assert gone(BEFORE, seen(t=held("id secret", ("1", "x"), ("2", "y")))) == {}
    assert gone(BEFORE, seen(t=held("id secret", ("1", "x"), ("3", "y")))) == {"d.t": 1}


def test_what_a_column_generates_by_another_expression_was_nobodys() -> None:
    def generated(by: str, value: str) -> Held:
        return replace(
            held("id g", ("1", value)),
            definition=f"CREATE TABLE `t` (\n  `id` int,\n  `g` int GENERATED ALWAYS AS ({by}) STORED\n)",
        )

    assert gone(seen(t=generated("id * 2", "2")), seen(t=generated("id + 2", "3"))) == {}
    assert gone(seen(t=generated("id * 2", "2")), seen(t=generated("id * 2", "3"))) == {"d.t": 1}


def test_what_is_gone_has_to_be_named_with_its_number() -> None:
    named = [{"loses": [{"number": 1, "what": "value", "of": "d.t.secret"}]}]
    assert list(unnamed_losses(named, {"d.t.secret": 1})) == []
    assert list(unnamed_losses(named, {"d.t.secret": 2})) == ["1 of d.t.secret were to be lost, 2 were"]
    assert list(unnamed_losses([], {"d.t": 2})) == ["lost without a word: 2 of d.t"]


def test_a_replica_may_have_more_columns_and_no_other_rows() -> None:
    assert differing(seen(t=held("id", ("1",), ("2",))), BEFORE) == []
    assert differing(BEFORE, seen()) == ["d.t is not on the replica"]
    assert differing(BEFORE, seen(t=held("id", ("1",), ("2",)))) == ["d.t has no secret on the replica"]
    (words,) = differing(BEFORE, seen(t=held("id secret", ("1", "x"), ("2", "y"))))
    assert "only on the replica [('2', 'y')]" in words


def test_steps_belong_together_and_the_rest_are_alternatives() -> None:
    advice = [
        {"sql": ["a"], "leads_to": {"code": "next-step"}},
        {"sql": ["b"], "leads_to": {"code": "next-transaction"}},
        {"sql": [], "leads_to": None},
        {"sql": ["c"], "leads_to": {"code": "next-transaction"}},
    ]
    assert [[step["sql"][0] for step in way] for way in ways({"advice": advice})] == [["a", "b"], ["c"]]
