"""How a table was partitioned before statements that are known."""

from __future__ import annotations

import pytest

from replfix.core.binlog.partitioning import before, taken_apart
from replfix.core.binlog.statement import Statement

BY = "PARTITION BY RANGE (`id`)"
P0, P1, P2 = (f"PARTITION `p{n}` VALUES LESS THAN ({n + 1}0) ENGINE = InnoDB" for n in range(3))


def listed(*parts: str) -> str:
    return f"{BY} ({', '.join(parts)})"


@pytest.mark.parametrize(
    ("statements", "then"),
    [
        ((), listed(P1, P2)),
        (("ALTER TABLE d.t ADD COLUMN c INT", "CREATE INDEX k ON d.t (c)"), listed(P1, P2)),
        (("alter table d.t add partition (partition P2 values less than (30))",), listed(P1)),
        (("ALTER TABLE d.t DROP PARTITION p0",), listed(P0, P1, P2)),
        (
            ("ALTER TABLE d.t DROP PARTITION p0", "ALTER TABLE d.t ADD PARTITION (PARTITION p2 VALUES LESS THAN (30))"),
            listed(P0, P1),
        ),
        (("ALTER TABLE d.t ADD PARTITION (PARTITION p7 VALUES LESS THAN (80))",), None),
        (("ALTER TABLE d.t DROP PARTITION p9",), None),
        (("ALTER TABLE d.t REORGANIZE PARTITION p1 INTO (PARTITION p1 VALUES LESS THAN (20))",), None),
        (("DROP TABLE d.t",), None),
    ],
)
def test_what_was_there_before(statements: tuple[str, ...], then: str | None) -> None:
    now, replica = taken_apart(listed(P1, P2)), taken_apart(listed(P0))
    assert now is not None
    found = before(now, (Statement("d", text) for text in statements), replica)
    assert (found.clause if found else None) == then


def test_partitions_that_are_only_counted_are_not_taken_apart() -> None:
    assert taken_apart("PARTITION BY HASH (`id`) PARTITIONS 4") is None
    assert taken_apart("") is None
