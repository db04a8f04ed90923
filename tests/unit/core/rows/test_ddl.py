"""Two CREATE TABLE texts of a server held against each other."""

from __future__ import annotations

import pytest

from replfix.core.sql.definition_diff import (
    aligned,
    differences,
    is_narrower,
    lacking,
    may_round,
    parsed,
    retyped,
    type_of,
)

HEAD = "CREATE TABLE `t` (\n"
TAIL = "\n) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4"


def create(*clauses: str, tail: str = TAIL) -> str:
    return HEAD + ",\n".join(f"  {clause}" for clause in clauses) + tail


ID, A, B = "`id` int NOT NULL", "`a` int DEFAULT NULL", "`b` varchar(20) DEFAULT NULL COMMENT 'x,\\ny) `c`'"
PRIMARY = "PRIMARY KEY (`id`)"


def altered(source: str, replica: str) -> list[str]:
    theirs, ours = parsed(source), parsed(replica)
    assert theirs is not None
    assert ours is not None
    return aligned(theirs, ours)


@pytest.mark.parametrize(
    ("source", "replica", "expected"),
    [
        ((ID, A, B, PRIMARY), (ID, A, B, PRIMARY), []),
        ((ID, A, B, PRIMARY), (ID, B, PRIMARY), [f"ADD COLUMN {A} AFTER `id`"]),
        ((ID, A, PRIMARY), (ID, B, A, PRIMARY), [f"MODIFY COLUMN {A} AFTER `id`"]),  # B comes to be the last one
        ((ID, A, PRIMARY), (ID, A, B, PRIMARY), []),
        ((A, ID, PRIMARY), (ID, A, PRIMARY), [f"MODIFY COLUMN {A} FIRST"]),
        ((ID, A, B), (ID, B, A), [f"MODIFY COLUMN {A} AFTER `id`"]),
        ((ID, A, PRIMARY), (ID, "`a` bigint DEFAULT NULL", PRIMARY), [f"MODIFY COLUMN {A}"]),
        ((ID, A, PRIMARY), (ID, A, "KEY `k` (`a`)"), []),
        ((ID, "`a` int DEFAULT NULL /*!80023 INVISIBLE */"), (ID, A), ["MODIFY COLUMN `a` int DEFAULT NULL INVISIBLE"]),
    ],
)
def test_the_columns_of_one_become_those_of_the_other(
    source: tuple[str, ...], replica: tuple[str, ...], expected: list[str]
) -> None:
    assert altered(create(*source), create(*replica)) == expected


def test_a_character_set_of_the_table_is_one_of_its_columns() -> None:
    latin = create(ID, B, tail="\n) ENGINE=InnoDB DEFAULT CHARSET=latin1")
    (clause,) = altered(latin, create(ID, B))
    assert clause.startswith("MODIFY COLUMN `b` varchar(20) CHARACTER SET latin1 DEFAULT NULL COMMENT ")
    theirs, ours = parsed(latin), parsed(create(ID, B))
    assert theirs is not None
    assert ours is not None
    assert [d.what for d in differences(theirs, ours)] == ["column", "options"]


def test_a_counter_is_no_difference_and_an_engine_is_one() -> None:
    other = parsed(create(ID, tail="\n) ENGINE=MyISAM DEFAULT CHARSET=utf8mb4"))
    one, counted = parsed(create(ID)), parsed(create(ID, tail=TAIL.replace("=7", "=9")))
    assert one is not None
    assert counted is not None
    assert other is not None
    assert differences(one, counted) == ()
    assert [d.what for d in differences(one, other)] == ["options"]


@pytest.mark.parametrize(
    ("replica", "source", "takes"),
    [
        ("bigint", "int", True),
        ("bigint unsigned", "int unsigned", True),
        ("int", "bigint", False),
        ("varchar(20)", "varchar(10)", True),
        ("varchar(10)", "varchar(20)", False),
        ("double", "float", True),
        ("varchar(20)", "int", False),
        ("varchar(60) CHARACTER SET latin1", "varchar(30) CHARACTER SET utf8mb4", False),  # bytes go in as they are
        ("varchar(30) CHARACTER SET utf8mb4", "varchar(60) CHARACTER SET latin1", False),
        ("varchar(20) CHARACTER SET utf8mb4", "varchar(20) CHARACTER SET utf8mb3", True),
        ("varchar(20) CHARACTER SET utf8mb4", "varchar(30) CHARACTER SET utf8mb3", False),
        ("varchar(40) CHARACTER SET gbk", "varchar(20) CHARACTER SET gbk", True),
        ("varchar(40) CHARACTER SET gbk", "varchar(10) CHARACTER SET utf8mb4", False),
    ],
)
def test_a_wider_type_takes_every_value(replica: str, source: str, takes: bool) -> None:
    ours, theirs = type_of(f"`a` {replica} DEFAULT NULL"), type_of(f"`a` {source} DEFAULT NULL")
    assert ours is not None
    assert theirs is not None
    assert ours.takes_all_of(theirs) is takes


def test_what_a_strict_alter_does_not_refuse() -> None:
    assert not may_round("`a` bigint", "`a` int")
    assert may_round("`a` decimal(8,2)", "`a` int")
    assert may_round("`a` datetime(6)", "`a` datetime")
    assert retyped("`a` varchar(5) COLLATE x DEFAULT 'y'", "varchar(20)") == "`a` varchar(20) COLLATE x DEFAULT 'y'"


def test_columns_that_the_replica_lacks() -> None:
    theirs, ours = parsed(create(ID, A, B)), parsed(create(ID, B))
    assert theirs is not None
    assert ours is not None
    assert lacking(theirs, ours) == ("a",)


def test_partitions_are_left_to_a_human() -> None:
    parts = "\n) ENGINE=InnoDB\n/*!50100 PARTITION BY HASH (`id`)\nPARTITIONS 4 */"
    theirs, ours = parsed(create(ID)), parsed(create(ID, tail=parts))
    assert theirs is not None
    assert ours is not None
    assert aligned(theirs, ours) == []
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


@pytest.mark.parametrize(
    ("replica", "source", "expected"),
    [
        ("smallint", "int", True),
        ("bigint", "int", False),
        ("int unsigned", "int", False),
        ("varchar(6)", "varchar(30)", True),
        ("varchar(60)", "varchar(30)", False),
        ("char(4) CHARACTER SET latin1", "char(4) CHARACTER SET utf8mb4", True),
        ("char(4) CHARACTER SET utf8mb4", "char(4) CHARACTER SET latin1", False),
        ("varchar(90) CHARACTER SET latin1", "varchar(30) CHARACTER SET utf8mb3", False),
        ("varchar(90) CHARACTER SET cp1250", "varchar(30) CHARACTER SET utf8mb4", False),  # unknown
        ("decimal(4,2)", "decimal(8,2)", True),
        ("decimal(8,1)", "decimal(8,2)", True),
        ("decimal(12,2)", "decimal(8,2)", False),
        ("decimal(12,4)", "decimal(11,2)", True),  # fewer digits before the point
        ("float", "double", True),
        ("datetime", "varchar(30)", False),  # unknown
    ],
)
def test_a_column_that_is_narrower_on_the_replica(replica: str, source: str, expected: bool) -> None:
    assert is_narrower(f"`a` {replica} DEFAULT NULL", f"`a` {source} DEFAULT NULL") is expected
