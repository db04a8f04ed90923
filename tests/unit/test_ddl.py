"""Two CREATE TABLE texts of a server held against each other."""

from __future__ import annotations

import pytest

from replfix.core.ddl import alter_table, differences, parsed
from replfix.core.table import TableName

HEAD = "CREATE TABLE `t` (\n"
TAIL = "\n) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4"


def create(*clauses: str, tail: str = TAIL) -> str:
    return HEAD + ",\n".join(f"  {clause}" for clause in clauses) + tail


ID, A, B = "`id` int NOT NULL", "`a` int DEFAULT NULL", "`b` varchar(20) DEFAULT NULL COMMENT 'x,\\ny) `c`'"
PRIMARY = "PRIMARY KEY (`id`)"


def altered(source: str, replica: str) -> str:
    theirs, ours = parsed(source), parsed(replica)
    assert theirs is not None
    assert ours is not None
    return alter_table(TableName("d", "t"), theirs, ours)


@pytest.mark.parametrize(
    ("source", "replica", "expected"),
    [
        ((ID, A, B, PRIMARY), (ID, A, B, PRIMARY), ""),
        ((ID, A, B, PRIMARY), (ID, B, PRIMARY), f"ADD COLUMN {A} AFTER `id`"),
        ((ID, A, PRIMARY), (ID, B, A, PRIMARY), "DROP COLUMN `b`"),
        ((A, ID, PRIMARY), (ID, A, PRIMARY), f"MODIFY COLUMN {A} FIRST"),
        ((ID, A, B), (ID, B, A), f"MODIFY COLUMN {A} AFTER `id`"),
        ((ID, A, PRIMARY), (ID, "`a` bigint DEFAULT NULL", PRIMARY), f"MODIFY COLUMN {A}"),
        ((ID, A, PRIMARY), (ID, A), f"ADD {PRIMARY}"),
        ((ID, A), (ID, A, PRIMARY), "DROP PRIMARY KEY"),
        (
            (ID, A, "UNIQUE KEY `k``1` (`a`)"),
            (ID, A, "UNIQUE KEY `k``1` (`a`,`id`)"),
            "DROP INDEX `k``1`, ADD UNIQUE KEY `k``1` (`a`)",
        ),
        (
            (ID, A),
            (ID, A, "CONSTRAINT `c` CHECK ((`a` < 10))", "CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `p` (`id`)"),
            "DROP FOREIGN KEY `f`, DROP CONSTRAINT `c`",
        ),
        ((ID, "`a` int DEFAULT NULL /*!80023 INVISIBLE */"), (ID, A), "MODIFY COLUMN `a` int DEFAULT NULL INVISIBLE"),
    ],
)
def test_the_alter_makes_one_the_other(source: tuple[str, ...], replica: tuple[str, ...], expected: str) -> None:
    assert altered(create(*source), create(*replica)) == (f"ALTER TABLE `d`.`t` {expected}" if expected else "")


def test_a_counter_is_no_difference_and_an_engine_is_one() -> None:
    other = create(ID, tail="\n) ENGINE=MyISAM DEFAULT CHARSET=utf8mb4")
    assert altered(create(ID), create(ID, tail=TAIL.replace("=7", "=9"))) == ""
    assert altered(create(ID), other) == "ALTER TABLE `d`.`t` ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"


def test_partitions_are_left_to_a_human() -> None:
    parts = "\n) ENGINE=InnoDB\n/*!50100 PARTITION BY HASH (`id`)\nPARTITIONS 4 */"
    theirs, ours = parsed(create(ID)), parsed(create(ID, tail=parts))
    assert theirs is not None
    assert ours is not None
    assert alter_table(TableName("d", "t"), theirs, ours) == ""
    assert [d.what for d in differences(theirs, ours)] == ["options"]


@pytest.mark.parametrize(
    "text", ["", "CREATE TABLE t (id INT)", "CREATE ALGORITHM=UNDEFINED VIEW `v` AS select 1", HEAD + "  what\n)"]
)
def test_another_form_is_not_compared(text: str) -> None:
    assert parsed(text) is None


def test_a_difference_says_which_server_has_what() -> None:
    theirs, ours = parsed(create(ID, A)), parsed(create(ID, B))
    assert theirs is not None
    assert ours is not None
    assert [d.in_words() for d in differences(theirs, ours)] == [
        f"the replica lacks the column a: {A}",
        f"only the replica has the column b: {B}",
    ]
