"""Somebody altered a column on the replica, and a conflict of rows stops it later: the source's values cannot be stored there as they are.
The applier would not say so, so no strategy that lets it go on is offered, and the difference is named."""

from __future__ import annotations

import re

import pytest

from replfix.lab.topology import Lab
from tests.field.staging import diagnosed, refused, resolved, stage

ROWS = "SELECT * FROM shop.t ORDER BY id"
LABELS = "has other labels on the replica"


@pytest.mark.parametrize(
    ("source", "replica", "value", "words"),
    [
        ("ENUM('a','b','c')", "ENUM('b','a','c')", "'a'", f"{LABELS} .* 'a' would be stored as 'b'"),
        ("ENUM('a','b','c')", "ENUM('a','b')", "'c'", f"{LABELS} .* 'c' would be stored as none of them"),
        ("SET('a','b','c')", "SET('b','a','c')", "'c,a'", f"{LABELS} .* 'a' would be stored as 'b'"),
        ("INT UNSIGNED", "INT", "4000000000", "cannot store 4000000000"),
        ("INT", "INT UNSIGNED", "-5", "cannot store -5"),
        ("INT NULL", "INT NOT NULL", "NULL", "is NOT NULL on the replica, and NULL in the transaction"),
    ],
)
def test_a_value_that_the_replica_would_store_as_another(
    pair: Lab, source: str, replica: str, value: str, words: str
) -> None:
    stage(
        pair,
        (f"CREATE TABLE t (id INT PRIMARY KEY, e {source})",),
        (
            f"ALTER TABLE t MODIFY e {replica}",
            "INSERT INTO t VALUES (2, 'b')" if "'" in replica else "INSERT INTO t VALUES (2, 7)",
        ),
        (f"INSERT INTO t VALUES (2, {value})",),
    )
    shown = diagnosed(pair).document
    drift = next(cause for cause in shown["causes"] if cause["code"] == "schema-drift")
    assert drift["confidence"] == "medium"
    found = {each["name"]: each for each in shown["strategies"]}
    assert "shop.t.e" in found["source-wins"]["reason"]
    assert re.search(words, found["source-wins"]["reason"])
    refused(pair, "shop.t.e", ROWS)
    remedy = next(each for each in shown["advice"] if each["sql"])
    assert "MODIFY COLUMN" in " ".join(remedy["sql"])
    with pair.replica.session() as session:
        for statement in remedy["sql"]:
            session.execute(statement)
    resolved(pair, ROWS)
