"""A unique key that only the replica has keeps rows of the source apart. No plan helps: it was rehearsed all the same, and refused by the
server with no word of what to do; or refused with several guesses. The key is named, and what is printed lets the replica go on."""

from __future__ import annotations

import pytest

from replfix.lab.topology import Lab
from tests.field.staging import diagnosed, refused, stage
from tests.following.follower import CAUGHT_UP, Follower

_ALL = "SELECT * FROM shop.t ORDER BY id"
_SETUP = (
    "CREATE TABLE t (id INT PRIMARY KEY, c VARCHAR(9), u VARCHAR(9) UNIQUE, v INT)",
    "INSERT INTO t VALUES (8, 'cc', 'b', 0), (2, 'cc', 'z', 0), (1, 'zz', 'one', 0)",
)
_KEY = "ALTER TABLE t ADD UNIQUE KEY x (c)"
_CHANGED = ("UPDATE t SET c = NULL, u = 'a' WHERE id = 8", _KEY)


@pytest.mark.parametrize(
    ("local", "failing"),
    [
        pytest.param(_CHANGED, "INSERT INTO t VALUES (9, 'zz', 'y', 0)", id="a row of the transaction and another"),
        pytest.param(
            _CHANGED, "INSERT INTO t VALUES (9, 'd', 'y', 0), (7, 'd', 'x', 0)", id="two rows of the transaction"
        ),
        pytest.param(_CHANGED, "INSERT INTO t VALUES (4, NULL, 'a', 0)", id="a row that is changed back and another"),
        pytest.param(("DELETE FROM t WHERE id = 2", _KEY), "UPDATE t SET c = 'e'", id="a row that is put back"),
    ],
)
def test_it_is_named_and_made_as_on_the_source(any_pair: Lab, local: tuple[str, ...], failing: str) -> None:
    stage(any_pair, _SETUP, local, (failing,), ("UPDATE t SET v = 1 WHERE id = 8",))
    refused(any_pair, "unique key x, which only the replica has", _ALL)
    followed = Follower(any_pair).follow()
    assert (followed.end, followed.remedies, followed.faults) == (CAUGHT_UP, 1, []), str(followed)


def test_of_the_beginning_of_a_column_it_is_named(any_pair: Lab) -> None:
    stage(
        any_pair,
        _SETUP,
        ("DELETE FROM t WHERE id = 2", "ALTER TABLE t ADD UNIQUE KEY x (c(2))"),
        ("INSERT INTO t VALUES (9, 'ccd', 'y', 0)",),
    )
    refused(any_pair, "unique key x, which only the replica has", _ALL)
    (remedy,) = diagnosed(any_pair).document["advice"]
    assert "Give the table the source's keys" in remedy["text"]
