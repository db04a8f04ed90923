"""MariaDB's states and positions, read as sets."""

from __future__ import annotations

import pytest

from replfix.core.replication.mariadb_gtid import MariadbGtidSet


def parse(text: str) -> MariadbGtidSet:
    return MariadbGtidSet.parse(text)


def test_a_state_holds_everything_up_to_its_newest() -> None:
    state = parse("0-1-5,0-2-7, 1-2-3")
    assert str(state) == "0-1-5,0-2-7,1-2-3"
    assert "0-1-5" in state
    assert "0-1-1" in state
    assert "0-1-6" not in state
    assert "1-1-1" not in state
    assert len(state) == 15
    assert not parse("")
    assert str(parse("0-1-5,0-1-3")) == "0-1-5"


def test_differences_are_ranges() -> None:
    errant = parse("0-1-5,0-2-7") - parse("0-1-9,0-2-4")
    assert str(errant) == "0-2-5…7"
    assert list(errant.newest_first()) == ["0-2-7", "0-2-6", "0-2-5"]
    assert str(parse("0-2-7") - parse("0-2-6")) == "0-2-7"
    assert parse("0-1-5") <= parse("0-1-5,1-1-1")
    assert parse("0-1-5") | parse("0-1-7,3-3-3") == parse("0-1-7,3-3-3")
    assert isinstance(errant & errant, MariadbGtidSet)


@pytest.mark.parametrize(
    "text", ["0-1", "0-1-", "a-b-c", "0-1-2-3", "3E11FA47-71CA-11E1-9E33-C80AA9429562:1", "0-1--5"]
)
def test_what_is_no_state_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a MariaDB GTID"):
        parse(text)


def test_numbers_are_as_large_as_the_server_has_them() -> None:
    assert "0-4294967295-18446744073709551615" in parse("0-4294967295-18446744073709551615")


def test_what_a_replica_has_logged_and_not_applied() -> None:
    """Of a statement that failed, MariaDB logs what it did before; a position of the same origin proves that it is not applied."""
    executed = MariadbGtidSet.of_replica("0-1-3,0-2-9,1-1-4", "0-1-2,1-5-1", "2")
    assert "0-1-2" in executed
    assert "0-1-3" not in executed
    assert executed.is_logged_only("0-1-3")
    assert not executed.is_logged_only("0-1-4")
    assert not executed.is_logged_only("0-1-2")
    assert "0-2-9" in executed, "written here"
    assert "1-1-4" in executed, "before the failover to server 5"
    own = MariadbGtidSet.of_replica("0-2-9", "0-2-4", "2")
    assert "0-2-9" in own, "what comes back to where it was written is executed"


def test_what_a_replica_has_applied_and_what_its_position_leaves_open() -> None:
    executed = MariadbGtidSet.of_replica("0-2-9,1-2-3", "0-3-7,1-1-2", "4")
    assert str(executed) == "0-2-9,0-3-7,1-1-2,1-2-3"
    for of_its_own_origin in ("0-2-9", "0-3-7", "1-1-2"):
        assert of_its_own_origin in executed
    for number in (5, 8):
        assert f"0-1-{number}" not in executed
        assert executed.leaves_open(f"0-1-{number}"), "another server's transaction was the last of that domain"
    assert "0-3-8" not in executed
    assert not executed.leaves_open("0-3-8")
    assert not executed.leaves_open("2-1-1")
    backlog = parse("0-1-5,0-3-12,1-1-2") - executed
    assert str(backlog) == "0-3-8…12", "by numbers: written before the failover to server 3"
    assert parse("0-3-7,1-1-2") <= executed
    assert executed.orders(parse("0-3-12,1-1-2,2-5-1"))
    assert not executed.orders(parse("0-1-5,0-3-12"))
    assert not executed.orders(parse("0-1-12"))
    errant = executed - parse("0-1-5,0-3-12,1-1-2")
    assert str(errant) == "0-2-9,1-2-3", "what the source has is told by server: its numbers may be higher than ours"
    assert errant.of_uuid("server_id 2") == errant
    assert errant.uuids() == {"server_id 2"}
    assert not executed.uncommitted_before("0-3-10", parse("0-3-12"))


def test_one_gtid() -> None:
    one = MariadbGtidSet.single("0-1-5")
    assert len(one) == 1
    assert "0-1-4" not in one
    assert str(parse("0-1-9") - one) == "0-1-4,0-1-6…9"
    assert parse("0-1-9").newest(3) == parse("0-1-9") - parse("0-1-6")
