"""A table that is copied from the source goes on as the source's does."""

from __future__ import annotations

from replfix.lab.topology import Lab
from tests.field.staging import rows, stage
from tests.following.follower import CAUGHT_UP, Follower


def test_a_child_references_its_own_parent_again(any_pair: Lab) -> None:
    """The copy is made in a schema of its own, where the parent is not: its foreign key came along and refused every later child."""
    lab = any_pair
    key = "CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE"
    setup = (
        *("CREATE TABLE p (id INT PRIMARY KEY)", f"CREATE TABLE c (id INT PRIMARY KEY, p INT, {key})"),
        *("INSERT INTO p VALUES (1), (2)", "INSERT INTO c VALUES (1, 1)"),
    )
    stage(lab, setup, ["DROP TABLE c"], ["INSERT INTO c VALUES (2, 2)"])
    followed = Follower(lab).follow()
    assert (followed.end, followed.faults) == (CAUGHT_UP, []), followed
    with lab.source.session() as session:
        session.execute("INSERT INTO shop.c VALUES (3, 2)")
    lab.wait_until_applied()
    shown = "SHOW CREATE TABLE shop.c"
    assert rows(lab.replica, shown) == rows(lab.source, shown)
