"""Topologies for the advisor, and what is staged in them. One lab of three servers serves them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import wait_until_applied
from replfix.lab.topologies import multi_source, ring

Expected = set[tuple[str, str, str | None, str | None]]
"""Code, severity, node and table of every finding; there may be no others."""

ORDERS = "shop.orders"
SHOP = (
    "CREATE DATABASE IF NOT EXISTS shop",
    "CREATE TABLE IF NOT EXISTS shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, amount INT)",
)
INSERT = "INSERT INTO shop.orders (amount) VALUES (1), (2), (3)"


def run(server: LabServer, *statements: str) -> None:
    with server.session() as session:
        for statement in statements:
            session.execute(statement)


def steps(server: LabServer, increment: int, offset: int, how: str = "PERSIST") -> None:
    run(
        server,
        f"SET {how} auto_increment_increment = {increment}",
        f"SET {how} auto_increment_offset = {offset}",
    )


def settle(servers: Sequence[LabServer]) -> None:
    """Every server of a circle has what every other one has."""
    for _ in servers:  # a transaction of the first goes through all of them
        for source, replica in zip(servers, (*servers[1:], servers[0]), strict=True):
            wait_until_applied(source, replica)


def circle(servers: Sequence[LabServer], *own: tuple[int, int], how: str = "PERSIST") -> None:
    """The shop on all of them; each with increment and offset of its own, and with rows of its own."""
    run(servers[0], *SHOP)
    settle(servers)
    for server, (increment, offset) in zip(servers, own, strict=True):
        steps(server, increment, offset, how)
    for server in servers:
        run(server, INSERT)
        settle(servers)


def apart(servers: Sequence[LabServer]) -> None:
    circle(servers, *((len(servers), number) for number in range(1, len(servers) + 1)))


def without_log(server: LabServer, *statements: str) -> None:
    run(server, "SET sql_log_bin = 0", *statements)


@dataclass(frozen=True)
class Case:
    name: str
    stage: Callable[[Sequence[LabServer]], None]
    expected: Expected = field(default_factory=set)
    servers: int = 2  # of a circle; 0: a replica of two sources

    def arrange(self, servers: Sequence[LabServer]) -> Sequence[LabServer]:
        """Connected as good as new; those that belong to the case."""
        for server in servers:
            with server.session() as session:
                if not session.is_mariadb:
                    session.execute("RESET PERSIST")
        if self.servers:
            ring.connect(servers)  # the others are emptied too
            ring.connect(servers[: self.servers])
            return servers[: self.servers]
        east, west, replica = servers
        multi_source.connect({"east": east, "west": west}, replica)
        return servers


# --- two primaries ---------------------------------------------------------------------------------------------------


def one_writer(servers: Sequence[LabServer], increment: int = 1) -> None:
    run(servers[0], *SHOP)
    steps(servers[0], increment, 1)
    run(servers[0], INSERT)
    settle(servers)
    run(servers[1], "SET GLOBAL super_read_only = ON")


def sessions(servers: Sequence[LabServer]) -> None:
    apart(servers)
    run(servers[0], "SET SESSION auto_increment_increment = 1", INSERT)
    settle(servers)


def only_told_now(servers: Sequence[LabServer]) -> None:
    apart(servers)
    run(servers[1], "RESET PERSIST auto_increment_increment", "RESET PERSIST auto_increment_offset")


def only_told_later(servers: Sequence[LabServer]) -> None:
    apart(servers)
    run(servers[1], "SET PERSIST_ONLY auto_increment_offset = 1")


def ids_of_their_own(servers: Sequence[LabServer]) -> None:
    """1000 is none that the first one gives. The second one could give 1102, but the text of the statement has it."""
    apart(servers)
    run(servers[0], "INSERT INTO shop.orders (id, amount) VALUES (1000, 4)")
    settle(servers)
    run(
        servers[1],
        "SET SESSION binlog_rows_query_log_events = ON",
        "INSERT INTO shop.orders (amount, id) VALUES (1, NULL), (1, 0)",
        "INSERT INTO shop.orders VALUES (1102, 4)",
    )
    settle(servers)


def rows_of_before(servers: Sequence[LabServer]) -> None:
    """The first one filled the table alone and without an offset, and the other one has not got the rows yet."""
    run(servers[0], *SHOP)
    settle(servers)
    run(servers[1], "STOP REPLICA")
    run(servers[0], *(INSERT,) * 4)
    steps(servers[0], 2, 1)
    steps(servers[1], 2, 2)


def rows_ahead(servers: Sequence[LabServer]) -> None:
    one_writer(servers)
    run(servers[1], "SET GLOBAL super_read_only = OFF")
    without_log(servers[1], "INSERT INTO shop.orders (id, amount) VALUES (10, 1), (11, 1)")
    run(servers[1], "SET GLOBAL super_read_only = ON")


def nearly_full(servers: Sequence[LabServer]) -> None:
    apart(servers)
    run(
        servers[0],
        "CREATE TABLE shop.small (id TINYINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, v INT) AUTO_INCREMENT = 221",
        "CREATE TABLE shop.half (id TINYINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, v INT) AUTO_INCREMENT = 127",
        "CREATE TABLE shop.full (id TINYINT AUTO_INCREMENT PRIMARY KEY, v INT) AUTO_INCREMENT = 127",
        *(f"INSERT INTO shop.{name} (v) VALUES (1)" for name in ("small", "half", "full")),
    )
    settle(servers)


_CUSTOMERS = (
    "CREATE TABLE shop.customers (id INT AUTO_INCREMENT PRIMARY KEY, email VARCHAR(60) COLLATE utf8mb4_0900_ai_ci, "
    "ticket CHAR(36), UNIQUE KEY by_email (email), UNIQUE KEY by_ticket (ticket), UNIQUE KEY by_id (email, id))"
)


def natural_key(servers: Sequence[LabServer]) -> None:
    """Only the key on email is open: the ticket is a UUID, and the third key has the id in it."""
    apart(servers)
    run(servers[0], _CUSTOMERS, "INSERT INTO shop.customers (email) VALUES ('a')")
    settle(servers)


def natural_key_of_both(servers: Sequence[LabServer]) -> None:
    natural_key(servers)
    run(servers[1], "INSERT INTO shop.customers (email) VALUES ('b')")
    settle(servers)


def statements(servers: Sequence[LabServer]) -> None:
    apart(servers)
    run(
        servers[0],
        "STOP REPLICA SQL_THREAD",
        "SET GLOBAL binlog_format = STATEMENT",
        "START REPLICA SQL_THREAD",
    )
    run(servers[0], INSERT)
    settle(servers)


def other_key(servers: Sequence[LabServer]) -> None:
    apart(servers)
    run(servers[0], "CREATE TABLE shop.notes (note VARCHAR(20))")
    settle(servers)
    without_log(servers[1], "ALTER TABLE shop.orders ADD UNIQUE KEY only_here (amount, id)")


def other_collation(servers: Sequence[LabServer]) -> None:
    natural_key(servers)
    without_log(
        servers[1], "ALTER TABLE shop.customers MODIFY email VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
    )


def former_source(servers: Sequence[LabServer]) -> None:
    """A fail-over that went well: the first one wrote, all of it arrived, and now the other one writes alone."""
    run(servers[0], *SHOP, INSERT)
    settle(servers)
    run(servers[0], "SET GLOBAL super_read_only = ON")
    run(servers[1], INSERT)
    settle(servers)


def writes_behind_the_back(servers: Sequence[LabServer]) -> None:
    """A replica that is read-only again, with rows of its own that the source does not have."""
    run(servers[0], *SHOP, INSERT, "STOP REPLICA", "RESET REPLICA ALL")
    wait_until_applied(servers[0], servers[1])
    run(servers[1], "INSERT INTO shop.orders (amount) VALUES (9)", "SET GLOBAL super_read_only = ON")


# --- a replica of two sources ----------------------------------------------------------------------------------------


def schemas_apart(servers: Sequence[LabServer]) -> None:
    east, west, _ = servers
    run(east, *SHOP, INSERT)
    run(west, "CREATE DATABASE depot", "CREATE TABLE depot.goods (id INT AUTO_INCREMENT PRIMARY KEY, v INT)",
        "INSERT INTO depot.goods (v) VALUES (1)")  # fmt: skip
    _arrived(servers)


def same_table(servers: Sequence[LabServer]) -> None:
    east, west, _ = servers
    run(east, *SHOP, INSERT)
    _arrived(servers)
    run(west, *SHOP, "CREATE TABLE shop.goods (code CHAR(8) PRIMARY KEY)", "INSERT INTO shop.goods VALUES ('a')")
    _arrived(servers)


def _arrived(servers: Sequence[LabServer]) -> None:
    *sources, replica = servers
    for source in sources:
        wait_until_applied_by_gtid(source, replica)


def wait_until_applied_by_gtid(source: LabServer, replica: LabServer) -> None:
    with source.session() as session:
        executed = str(session.scalar("SELECT @@global.gtid_executed"))
    with replica.session() as session:
        assert str(session.scalar("SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, 30)", [executed])) == "0"


def apart_and_late(servers: Sequence[LabServer]) -> None:
    """What has not arrived yet is of another class: no harm."""
    apart(servers)
    run(servers[1], "STOP REPLICA")
    run(servers[0], INSERT, INSERT)


SAME = ("same-numbers", "critical", None, None)
SMALL = ("increment-too-small", "critical", None, None)

CASES = (
    Case("two-apart", apart_and_late),
    Case("two-with-defaults", lambda s: circle(s, (1, 1), (1, 1)), {SAME, SMALL}),
    Case("two-with-one-offset", lambda s: circle(s, (2, 1), (2, 1)), {SAME}),
    Case("increments-that-meet", lambda s: circle(s, (2, 1), (3, 2)), {SAME}),
    Case("increments-that-never-meet", lambda s: circle(s, (2, 1), (4, 2))),
    Case("offset-above", lambda s: circle(s, (2, 1), (2, 4)),
         {("offset-above-increment", "critical", "primary2", None)}),
    Case("only-set-global", only_told_now, {("lost-on-restart", "warning", "primary2", None)}),
    Case("only-persisted", only_told_later, {("lost-on-restart", "warning", "primary2", None)}),
    Case("sessions", sessions, {("sessions-differ", "critical", "primary1", None)}),
    Case("ids-of-their-own", ids_of_their_own,
         {("explicit-ids", "warning", "primary1", ORDERS), ("explicit-ids", "warning", "primary2", ORDERS)}),
    Case("rows-of-before", rows_of_before, {("numbers-taken", "critical", "primary2", ORDERS)}),
    Case("rows-ahead", rows_ahead, {("counter-behind", "critical", "primary1", ORDERS)}),
    Case("nearly-full", nearly_full,
         {("head-room", "warning", None, "shop.small"), ("head-room", "critical", None, "shop.full")}),
    Case("natural-key-of-both", natural_key_of_both, {("open-key", "warning", None, "shop.customers")}),
    Case("statements", statements, {("unsafe-statements", "critical", "primary1", None)}),
    Case("one-writer", one_writer),
    Case("one-writer-with-offsets", lambda s: one_writer(s, 2), {("needless-offsets", "info", "primary1", None)}),
    Case("other-key", other_key,
         {("keys-differ", "warning", None, ORDERS), ("no-primary-key", "warning", None, "shop.notes")}),
    Case("other-collation", other_collation,
         {("collations-differ", "warning", None, "shop.customers"), ("open-key", "info", None, "shop.customers")}),
    Case("former-source", former_source),
    Case("behind-the-back", writes_behind_the_back,
         {("stray-write", "warning", "primary2", None), ("counter-behind", "critical", "primary1", ORDERS)}),
    Case("three-apart", apart, servers=3),
    Case("three-with-room-for-two", lambda s: circle(s, (2, 1), (2, 2), (2, 1)), {SAME, SMALL}, servers=3),
    Case("schemas-apart", schemas_apart, servers=0),
    Case("same-table", same_table,
         {SAME, SMALL, ("numbers-taken", "critical", "primary2", ORDERS)}, servers=0),
)  # fmt: skip
