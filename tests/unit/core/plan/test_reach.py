"""How far a trigger reaches, told from its text."""

from __future__ import annotations

import pytest

from replfix.core.plan.trigger_reach import Fired, cascading, events_in, names_in, outlasting
from replfix.core.schema.table import ForeignKey, TableName, Trigger
from tests.unit.making import column, key, table

ON = TableName("shop", "orders")


def fired(body: str) -> Fired:
    return Fired(ON, Trigger("t", "INSERT", "AFTER", body))


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("INSERT INTO Log VALUES (1)", "log"),
        ("INSERT INTO Log VALUES (1)", "Log"),
        ("insert into arch.log$1 values(1)", "log$1"),
        ("DELETE FROM `my log`", "my log"),
        ("-- don`t\nDELETE FROM `my log`", "my log"),
        ('UPDATE "my ""log""" SET n = 1', 'my "log"'),
        ("UPDATE `a``b` SET n = 1", "a`b"),
        ("SET @x = größe(NEW.id)", "größe"),
        ("/*!50000 UPDATE hidden SET n=1 */ DO 0", "hidden"),
        ("SET @a='x\\'', NEW.b=f(1)", "f"),
    ],
)
def test_every_name_is_found_however_it_is_written(body: str, name: str) -> None:
    assert name in names_in(body)


def test_what_is_too_long_for_a_name_is_none() -> None:
    assert not [name for name in names_in("`" + "x" * 65 + "`") if len(name) > 64]


@pytest.mark.parametrize(
    ("body", "events"),
    [
        ("INSERT INTO log SELECT 1", {"INSERT"}),
        ("replace log values (1)", {"INSERT", "DELETE"}),
        ("INSERT INTO n VALUES (1) ON DUPLICATE KEY UPDATE n = n + 1", {"INSERT", "UPDATE"}),
        ("SET NEW.v = NOW()", set()),
    ],
)
def test_the_kinds_of_writes(body: str, events: set[str]) -> None:
    assert events_in(body) == events


@pytest.mark.parametrize(
    "body",
    [
        "call home()",
        "SELECT 1 INTO OUTFILE '/tmp/x'",
        "SET GLOBAL read_only = 1",
        "SET @@global.read_only = 1",
        "SET foreign_key_checks = 0",
        "DO release_all_locks()",
        "  ",
    ],
)
def test_what_no_rollback_takes_back(body: str) -> None:
    assert list(outlasting(fired(body)))
    assert not list(outlasting(fired("INSERT INTO log VALUES (NEW.id)")))


def test_a_foreign_key_that_carries_a_trigger_s_write_on() -> None:
    child = ForeignKey("fk", TableName("shop", "c"), ("log",), TableName("shop", "log"), ("id",), "RESTRICT", "CASCADE")
    log = table("shop.log", [column("id")], [key("PRIMARY", "id")], referenced_by=(child,))
    (said,) = cascading(fired("DELETE FROM log"), log, frozenset({"DELETE"}))
    assert "ON DELETE CASCADE (fk)" in said
    assert not list(cascading(fired("UPDATE log SET n = 1"), log, frozenset({"UPDATE", "INSERT"})))
