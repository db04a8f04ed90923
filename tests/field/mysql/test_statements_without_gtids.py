"""Without GTIDs, a statement that stops the replica: its transaction was taken for one that is applied already, and could neither be
passed over nor shown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from replfix.lab.topologies import no_gtid
from replfix.lab.topology import Lab
from tests import waiting
from tests.field.test_statements import rows, run, stage


@pytest.fixture
def positioned(pair: Lab) -> Iterator[Lab]:
    no_gtid.connect(pair.source, pair.replica)
    try:
        yield pair
    finally:
        no_gtid.undo(pair.source, pair.replica)


def test_a_statement_is_passed_over_by_the_counter(positioned: Lab) -> None:
    stage(positioned, "INSERT INTO shop.t VALUES (5, 6)", "INSERT INTO shop.t VALUES (9, 9)")
    found = run(positioned, "diagnose", "replica1", "--json").document
    assert not [s for s in found["strategies"] if "applied or left out already" in s["reason"]]
    assert [advice["sql"] for advice in found["advice"] if advice["sql"]], "the row in the way, and its DELETE"
    ran = run(positioned, "resolve", "replica1", "--strategy", "skip", "--yes", "--json")
    assert ran.code == 0, ran.out + ran.err
    assert ran.document["rounds"][0]["left_out_statements"] == ["INSERT INTO shop.t VALUES (5, 6)"]
    waiting.until(lambda: rows(positioned.replica) == [("1", "1"), ("5", "5"), ("9", "9")])
