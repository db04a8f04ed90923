"""Transactions that only the replica has: the channel is running, or stopped on a row of them."""

from __future__ import annotations

from replfix.lab.flavours import speaking
from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from tests.following.incident import Incident
from tests.following.receivers import purge_all
from tests.following.servers import FAMILY, TABLE


def _source(lab: Lab, *statements: str) -> None:
    with lab.source.session() as session:
        for statement in statements:
            session.execute(statement)


def _both(lab: Lab, *statements: str) -> None:
    _source(lab, *statements)
    lab.wait_until_applied()


def rows_of_every_kind(lab: Lab) -> None:
    """Inserted, changed, deleted, the key moved to another row's old one; and one that the source has by now."""
    _both(
        lab,
        "CREATE DATABASE d",
        "CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(20), u INT, w TIMESTAMP NULL, UNIQUE KEY u (u))",
        "INSERT INTO d.t VALUES (1, 'x', 1, NULL), (2, 'y', 2, '2026-01-01 00:00:00'), (3, 'z', 3, NULL)",
    )
    write_locally(
        lab.replica,
        "INSERT INTO d.t VALUES (4, '4\\\\''\n', 44, '2026-02-02 02:02:02')",
        "DELETE FROM d.t WHERE id = 2",
        "UPDATE d.t SET v = 'changed', u = 2 WHERE id = 1",
        "INSERT INTO d.t VALUES (9, 'same', 9, NULL)",
    )
    with lab.source.session() as session:
        session.execute("SET sql_log_bin = 0")
        session.execute("INSERT INTO d.t VALUES (9, 'same', 9, NULL)")


def with_ddl(lab: Lab) -> None:
    _both(lab, *TABLE)
    write_locally(
        lab.replica,
        "CREATE TABLE d.own (id INT PRIMARY KEY)",
        "INSERT INTO d.own VALUES (1)",
        "UPDATE d.t SET v = 'changed'",
    )


def purged(lab: Lab) -> None:
    _both(lab, *TABLE)
    write_locally(lab.replica, "INSERT INTO d.t VALUES (3, 'purged')")
    purge_all(lab.replica)
    write_locally(lab.replica, "INSERT INTO d.t VALUES (4, 'kept')")


def family(lab: Lab) -> None:
    """A parent and its child, and a child of a parent that both have."""
    _both(lab, *FAMILY)
    write_locally(lab.replica, "INSERT INTO d.p VALUES (7)", "INSERT INTO d.c VALUES (70, 7), (20, 2)")


def equal_by_now(lab: Lab) -> None:
    _both(lab, *TABLE)
    write_locally(lab.replica, "INSERT INTO d.t VALUES (3, 'z')", "DELETE FROM d.t WHERE id = 3")


def stopped_on_a_row(lab: Lab) -> None:
    """What the backlog changes is not reverted, other rows are."""
    _both(lab, *TABLE)
    write_locally(lab.replica, "INSERT INTO d.t VALUES (3, 'local')", "INSERT INTO d.t VALUES (4, 'local')")
    with lab.source.session() as session:
        session.execute("SET SESSION binlog_format = ROW")
        session.execute("INSERT INTO d.t VALUES (3, 'source')")
    wait_until_stopped(lab.replica)


def in_the_sources_domain(lab: Lab) -> None:
    """Numbers that the source has used itself, without strict mode (MariaDB): nothing can be logged under them."""
    _both(lab, *TABLE)
    with lab.replica.session() as session, speaking(session).writable(session):
        domain = session.scalar("SELECT @@gtid_domain_id")
        session.execute("SET SESSION gtid_domain_id = 0")
        session.execute("INSERT INTO d.t VALUES (5, 'local')")
        session.execute(f"SET SESSION gtid_domain_id = {domain}")


def _incident(name: str, arrange: object, *, only: str = "") -> Incident:
    assert callable(arrange)
    return Incident(f"errant: {name}", arrange, only=only, errant=True, in_every_run=arrange is rows_of_every_kind)


ERRANT = (
    _incident("rows of every kind", rows_of_every_kind),
    _incident("with DDL", with_ddl),
    _incident("purged", purged),
    _incident("family", family),
    _incident("equal by now", equal_by_now),
    _incident("stopped on a row", stopped_on_a_row),
    _incident("in the source's domain", in_the_sources_domain, only="mariadb"),
)
