"""Transactions that MySQL's applier cannot take on a replica that is equal to its source: carried out in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from replfix.lab.topology import Lab
from tests.integration.resolve.test_trials import refused, resolved, stage
from tests.integration.running import replfix

PARENT = "CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, v INT)"
PARENTS = "INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)"
CHILD = "CREATE TABLE t2 (id BIGINT PRIMARY KEY, v2 INT, FOREIGN KEY (id) REFERENCES t (id) ON DELETE CASCADE)"
CHILDREN = "INSERT INTO t2 VALUES (1, 1), (2, 2), (3, 3)"
DELETE = "DELETE t, t2 FROM t JOIN t2 ON t.id = t2.id WHERE t.id = 2"
CASCADED = (PARENT, CHILD, PARENTS, CHILDREN)
BAG = "CREATE TABLE t (a INT NULL UNIQUE, b INT)"


@dataclass(frozen=True)
class Case:
    name: str
    cause: str
    setup: Sequence[str]
    failing: Sequence[str]
    local: Sequence[str] = ()
    net: int = 0  # rows of the transaction that are another one in the end
    steps: int = 0  # rows of the replica that are brought to what it expects
    before: Sequence[str] = ()


CASES = (
    Case("a child that a cascade has deleted", "deleted-twice", CASCADED, [DELETE], net=2),
    Case(
        "the same beside a trigger, in a compressed transaction of MINIMAL images, with a swap of unique values",
        "deleted-twice",
        [
            *CASCADED,
            "CREATE TABLE u (id INT PRIMARY KEY, k INT UNIQUE, x INT, g INT AS (k + 1) VIRTUAL UNIQUE)",
            "INSERT INTO u (id, k, x) VALUES (1, 10, 100), (2, 20, 200)",
            "CREATE TABLE noted (id INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(20))",
        ],
        [
            DELETE,
            "UPDATE u SET k = 30 WHERE id = 1",
            "UPDATE u SET k = 10 WHERE id = 2",
            "UPDATE u SET k = 20 WHERE id = 1",
        ],
        local=["CREATE TRIGGER tr AFTER DELETE ON t2 FOR EACH ROW INSERT INTO noted (what) VALUES ('fired')"],
        net=6,
        before=["SET binlog_transaction_compression = ON", "SET binlog_row_image = MINIMAL"],
    ),
    Case("the child is missing on the replica, and a row is in the way of another one", "unlogged-write",
         CASCADED, [DELETE, "INSERT INTO t VALUES (7, 70)"],
         local=["DELETE FROM t2 WHERE id = 2", "INSERT INTO t VALUES (7, 7)"], net=3, steps=2),
    Case(
        "grandchildren, the last of them without a key",
        "deleted-twice",
        [
            *CASCADED,
            "CREATE TABLE t3 (id BIGINT, v INT, FOREIGN KEY (id) REFERENCES t2 (id) ON DELETE CASCADE)",
            "INSERT INTO t3 VALUES (1, 1), (2, 2), (2, 2), (3, 3)",
        ],
        ["DELETE t, t3 FROM t JOIN t2 ON t.id = t2.id JOIN t3 ON t3.id = t2.id WHERE t.id = 2"],
        net=4,
    ),
    Case(
        "children without a key, which lose their reference before they are deleted",
        "deleted-twice",
        [
            PARENT,
            PARENTS,
            "CREATE TABLE t2 (k INT, id BIGINT, FOREIGN KEY (id) REFERENCES t (id) ON DELETE SET NULL)",
            "INSERT INTO t2 VALUES (11, 1), (12, 2), (13, 3)",
        ],
        [DELETE],
        net=2,
    ),
    Case(
        "one event that changes a row twice, of a key with NULLs",
        "changed-twice",
        [
            "CREATE TABLE t1 (a VARCHAR(60), b VARCHAR(60), c VARCHAR(60), d VARCHAR(60), UNIQUE KEY k1 (a, b, c)) "
            "CHARSET utf8mb4 COLLATE utf8mb4_general_ci",
        ],
        [
            "INSERT INTO t1 (d, a, c, b) VALUES ('53', 'A', 'B', 'A'), ('54', 'A', 'B', 'A'), ('53', 'A', 'B', 'A'), "
            "('55', 'A', 'B', 'A') ON DUPLICATE KEY UPDATE d = VALUES(d), a = VALUES(a), c = VALUES(c), b = VALUES(b)",
        ],
        net=1,
    ),
    Case(
        "three times, over two events, beside rows that are the same",
        "changed-twice",
        [BAG, "INSERT INTO t VALUES (5, 1), (9, 9), (NULL, 4), (NULL, 4)"],
        [
            "INSERT INTO t VALUES (5, 2), (4, 3), (3, 3) ON DUPLICATE KEY UPDATE a = a - 1",
            "DELETE FROM t WHERE a IS NULL LIMIT 1",
            "UPDATE t SET b = 7 WHERE a = 2",
        ],
        net=3,
    ),
    Case(
        "rows that take each other's places, and one of the replica's own in their way",
        "out-of-order",
        [BAG, "INSERT INTO t VALUES (2, 1), (3, 2), (8, 3)"],
        ["UPDATE t SET a = a + 1 ORDER BY a DESC"],
        net=6,
    ),
    Case("the same with a row of the replica's in their way", "unlogged-write",
         [BAG, "INSERT INTO t VALUES (2, 1), (3, 2), (8, 3)"], ["UPDATE t SET a = a + 1 ORDER BY a DESC"],
         local=["INSERT INTO t VALUES (9, 9)"], net=6, steps=1),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_its_outcome_is_carried_out_under_its_gtid(pair: Lab, case: Case) -> None:
    """DELETE of several tables over ON DELETE CASCADE, INSERT … ON DUPLICATE KEY UPDATE and UPDATE … ORDER BY without a primary
    key: the source logs what no applier takes, on servers that are equal."""
    stage(pair, case.setup, case.local, case.failing, before=case.before)
    shown = replfix("diagnose", "replica1", "--config", str(pair.config_file), "--json").document
    assert [cause["code"] for cause in shown["causes"]][:1] == [case.cause]
    (wins,) = (each for each in shown["strategies"] if each["name"] == "source-wins")
    assert wins["risks"][0].startswith("replfix carries out the transaction itself")
    (round_,) = resolved(pair).document["rounds"]
    assert (len(round_["net_rows"]), len(round_["steps"])) == (case.net, case.steps)


def test_what_is_not_known_whole_is_refused(pair: Lab) -> None:
    """The row that comes was logged without the columns that got their defaults."""
    stage(
        pair,
        [*CASCADED, "CREATE TABLE u (id INT PRIMARY KEY, k INT UNIQUE, x INT DEFAULT 5)"],
        [],
        [DELETE, "INSERT INTO u (id, k) VALUES (1, 1)"],
        before=["SET binlog_row_image = MINIMAL"],
    )
    refused(pair, "its events do not have all columns of a row of shop.u (binlog_row_image is not FULL on the source)")
