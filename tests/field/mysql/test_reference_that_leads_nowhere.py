"""A row that the source holds without its parent: InnoDB does not look for the parent where a column behind the reference, in the index that it
uses, is NULL (9.7.4). The replica takes the row likewise; the parent that it refused is another row's."""

from __future__ import annotations

from replfix.lab.topology import Lab
from tests.field.staging import resolved, stage

_SETUP = (
    "CREATE TABLE p (id INT PRIMARY KEY)",
    "CREATE TABLE c (id INT PRIMARY KEY, p INT, n INT, KEY (p, n), CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p (id))",
    "CREATE TABLE d (id INT PRIMARY KEY, p INT, CONSTRAINT d_p FOREIGN KEY (p) REFERENCES p (id))",
    "INSERT INTO p VALUES (1)",
)


def test_only_the_parent_that_was_refused_has_to_be_known(pair: Lab) -> None:
    failing = ("INSERT INTO c VALUES (1, 3, NULL)", "INSERT INTO d VALUES (1, 1)")
    stage(pair, _SETUP, ["DELETE FROM p WHERE id = 1"], failing)
    resolved(pair, "SELECT * FROM shop.p", "SELECT * FROM shop.c", "SELECT * FROM shop.d")
