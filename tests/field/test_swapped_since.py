"""A table that an online migration swaps by RENAME, in the backlog: under that name the source has another one now, with rows of a later time."""

from __future__ import annotations

from replfix.lab.topology import Lab
from tests.field.staging import refused, stage

SWAP = (
    "CREATE TABLE _t_gho LIKE t",
    "ALTER TABLE _t_gho ADD COLUMN later INT",
    "RENAME TABLE t TO _t_del, _t_gho TO t",
)


def test_a_parent_is_not_taken_from_the_table_of_now(any_pair: Lab) -> None:
    """Only the replica has the foreign key. The parent that the new table got was put into the old one."""
    stage(
        any_pair,
        ["CREATE TABLE t (id INT PRIMARY KEY, v INT)", "CREATE TABLE c (id INT PRIMARY KEY, t INT)", "INSERT INTO t VALUES (1, 1)"],
        ["ALTER TABLE c ADD CONSTRAINT fk FOREIGN KEY (t) REFERENCES t (id)"],
        ["INSERT INTO c VALUES (1, 4)", "DELETE FROM t WHERE id = 1"],
        [*SWAP, "INSERT INTO t VALUES (4, 4, 4)"],
    )  # fmt: skip
    refused(any_pair, "or in another table of that name", "SELECT * FROM shop.t", "SELECT * FROM shop.c")


def test_a_row_in_the_way_is_not_made_what_the_table_of_now_has(any_pair: Lab) -> None:
    """A row of the source of which one value diverged, or the replica's own: the new table does not tell."""
    stage(
        any_pair,
        ["CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE, v INT)", "INSERT INTO t VALUES (1, 1, 1), (2, 2, 2)"],
        ["UPDATE t SET u = 9 WHERE id = 2"],
        ["INSERT INTO t VALUES (3, 9, 3)"],
        [*SWAP, "INSERT INTO t VALUES (2, 2, 77, 7)"],
    )  # fmt: skip
    refused(any_pair, "its table is another one there now", "SELECT * FROM shop.t")
