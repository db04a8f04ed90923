"""Incidents in topologies: the middle of a chain and what is below it, a replica of two sources, without GTIDs, two primaries, and
channels of which somebody has stopped a thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from replfix.lab.flavours import speaking
from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import wait_until_received, wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from tests import waiting
from tests.field.topologies.connected import ROW_EVENTS, Connected, execute, execute_on_a_replica, meet
from tests.following.definitions import DRIFTED
from tests.following.incident import Incident
from tests.following.refused import REFUSED
from tests.integration.broken import BROKEN

SHOP = (
    "CREATE DATABASE shop",
    "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(20))",
    ROW_EVENTS,
    "INSERT INTO shop.t VALUES (1, 'one')",
)


def _chain(lab: Lab) -> tuple[LabServer, LabServer, LabServer]:
    world = Connected(lab)
    top, middle, below = lab.servers
    execute(top, *SHOP)
    world.around(top, middle)
    world.around(middle, below)
    return top, middle, below


def row_written_on_the_middle(lab: Lab) -> None:
    """Logged: it is below too."""
    top, middle, _ = _chain(lab)
    execute_on_a_replica(middle, ROW_EVENTS, "INSERT INTO shop.t VALUES (3, 'middle')")
    Connected(lab).around(middle, lab.servers[2])
    execute(top, ROW_EVENTS, "INSERT INTO shop.t VALUES (3, 'top')", "INSERT INTO shop.t VALUES (4, 'top')")
    wait_until_stopped(middle)


def row_written_on_the_middle_without_a_trace(lab: Lab) -> None:
    top, middle, _ = _chain(lab)
    write_locally(middle, "INSERT INTO shop.t VALUES (3, 'middle')", logged=False)
    execute(top, ROW_EVENTS, "INSERT INTO shop.t VALUES (3, 'top')", "INSERT INTO shop.t VALUES (4, 'top')")
    wait_until_stopped(middle)


def row_lost_on_the_middle(lab: Lab) -> None:
    top, middle, _ = _chain(lab)
    write_locally(middle, "DELETE FROM shop.t", logged=False)
    execute(top, ROW_EVENTS, "UPDATE shop.t SET v = 'new' WHERE id = 1")
    wait_until_stopped(middle)


def column_ahead_on_the_middle(lab: Lab) -> None:
    """What is left out on the middle never comes below."""
    top, middle, _ = _chain(lab)
    write_locally(middle, "ALTER TABLE shop.t ADD COLUMN c INT", logged=False)
    execute(top, "ALTER TABLE shop.t ADD COLUMN c INT", ROW_EVENTS, "INSERT INTO shop.t VALUES (2, 'two', 2)")
    wait_until_stopped(middle)


def routine_on_the_middle(lab: Lab) -> None:
    top, middle, _ = _chain(lab)
    write_locally(middle, "CREATE PROCEDURE shop.p() SELECT 2", logged=False)
    execute(top, "CREATE PROCEDURE shop.p() SELECT 1")
    wait_until_stopped(middle)


def table_lost_on_the_middle(lab: Lab) -> None:
    top, middle, _ = _chain(lab)
    write_locally(middle, "DROP TABLE shop.t", logged=False)
    execute(top, ROW_EVENTS, "INSERT INTO shop.t VALUES (2, 'two')")
    wait_until_stopped(middle)


def column_ahead_below(lab: Lab) -> None:
    top, _, below = _chain(lab)
    write_locally(below, "ALTER TABLE shop.t ADD COLUMN c INT", logged=False)
    execute(top, "ALTER TABLE shop.t ADD COLUMN c INT", ROW_EVENTS, "INSERT INTO shop.t VALUES (2, 'two', 2)")
    wait_until_stopped(below)


def _fan_in(lab: Lab) -> tuple[LabServer, LabServer, LabServer]:
    east, west, replica = lab.servers
    for schema, server in (("e", east), ("w", west)):
        execute(server, f"CREATE DATABASE {schema}", f"CREATE TABLE {schema}.t (id INT PRIMARY KEY, v VARCHAR(20))")
    tables = "SELECT TABLE_SCHEMA FROM information_schema.TABLES WHERE TABLE_SCHEMA IN ('e', 'w') ORDER BY 1"
    Connected(lab).until_equal(tables, [("e",), ("w",)], [replica])
    return east, west, replica


def _until_stopped(replica: LabServer, channel: str) -> None:
    def stopped() -> bool:
        with replica.session() as session:
            state = speaking(session).channel_state(session, channel)
        return state is not None and state.error is not None

    waiting.until(stopped, f"the channel {channel} does not stop")


def row_of_one_source(lab: Lab) -> None:
    _, west, replica = _fan_in(lab)
    write_locally(replica, "INSERT INTO w.t VALUES (1, 'local')", logged=False)
    execute(west, ROW_EVENTS, "INSERT INTO w.t VALUES (1, 'west')", "INSERT INTO w.t VALUES (2, 'west')")
    _until_stopped(replica, "west")


def column_of_one_source(lab: Lab) -> None:
    _, west, replica = _fan_in(lab)
    write_locally(replica, "ALTER TABLE w.t ADD COLUMN c INT", logged=False)
    execute(west, "ALTER TABLE w.t ADD COLUMN c INT", ROW_EVENTS, "INSERT INTO w.t VALUES (2, 'west', 2)")
    _until_stopped(replica, "west")


def table_of_one_source(lab: Lab) -> None:
    _, west, replica = _fan_in(lab)
    execute(west, ROW_EVENTS, "INSERT INTO w.t VALUES (1, 'west')")
    waiting.until(lambda: _rows(replica, "w.t") == 1, "the row never came")
    write_locally(replica, "DROP TABLE w.t", logged=False)
    execute(west, ROW_EVENTS, "INSERT INTO w.t VALUES (2, 'west')")
    _until_stopped(replica, "west")


def account_of_one_source(lab: Lab) -> None:
    _, west, replica = _fan_in(lab)
    write_locally(replica, "CREATE USER app", logged=False)
    execute(west, "CREATE USER app IDENTIFIED BY 'secret'")
    _until_stopped(replica, "west")


def _rows(server: LabServer, table: str) -> int:
    with server.session() as session:
        return int(str(session.scalar(f"SELECT COUNT(*) FROM {table}")))


def both_primaries_on_one_key(lab: Lab) -> None:
    a, b = lab.servers[:2]
    execute(a, *SHOP)
    Connected(lab).around(a, b)
    meet(a, "INSERT INTO shop.t VALUES (3, 'a')", b, "INSERT INTO shop.t VALUES (3, 'b')")


def both_primaries_on_one_column(lab: Lab) -> None:
    a, b = lab.servers[:2]
    execute(a, *SHOP)
    Connected(lab).around(a, b)
    meet(a, "ALTER TABLE shop.t ADD COLUMN c INT", b, "ALTER TABLE shop.t ADD COLUMN c INT")


def stopped(arrange: Callable[[Lab], object], *threads: str) -> Callable[[Lab], None]:
    """Somebody has looked at it before, and stopped what was left."""

    def arranged(lab: Lab) -> None:
        arrange(lab)
        wait_until_stopped(lab.replica)
        wait_until_received(lab.source, lab.replica)
        with lab.replica.session() as session:
            for thread in threads:
                session.execute(f"STOP REPLICA {thread}")

    return arranged


def _in(
    topology: str, name: str, arrange: Callable[[Lab], object], *errors: int, only: str = "", as_shipped: bool = False
) -> Incident:
    shipped = ", as shipped" if as_shipped else ""
    return Incident(
        f"{topology}: {name}{shipped}",
        arrange,
        errors,
        only,
        topology=topology,
        as_shipped=as_shipped,
        in_every_run=False,
    )


_WITH_A_STOPPED_RECEIVER = {
    "1062-row": BROKEN["1062-row"].arrange,
    "1032-row": replace(BROKEN["1032-row"], source_session=(ROW_EVENTS,)).arrange,
    "1060": BROKEN["1060"].arrange,
    "1146-row": BROKEN["1146-row"].arrange,
    "column-ahead": DRIFTED["column-ahead"].arrange,
    "1304": REFUSED["1304"].arrange,
}

_TAKEN_AS_SHIPPED = {
    "character-set": "mariadb",
    "wider-on-purpose": "mariadb",
    "wider-in-another-character-set": "mariadb",
    "wider-in-a-larger-character-set": "mariadb",
    "order-behind-1032": "mariadb",
    "generated-in-another-way": "",
}
"""MariaDB ships with MIXED: of these a statement is logged, and no row event."""
_ON_MARIADB = {13146: (1677,)}

CONNECTED = (
    *(
        _in("chain", name, arrange, *errors, as_shipped=as_shipped)
        for as_shipped in (False, True)
        for name, arrange, errors in (
            ("row written on the middle", row_written_on_the_middle, (1062,)),
            ("row written on the middle without a trace", row_written_on_the_middle_without_a_trace, (1062,)),
            ("row lost on the middle", row_lost_on_the_middle, (1032,)),
            ("column ahead on the middle", column_ahead_on_the_middle, (1060,)),
            ("routine on the middle", routine_on_the_middle, (1304,)),
            ("table lost on the middle", table_lost_on_the_middle, (1146,)),
            ("column ahead below", column_ahead_below, (1060,)),
        )
    ),
    *(
        _in("multi-source", name, arrange, *errors, as_shipped=as_shipped)
        for as_shipped in (False, True)
        for name, arrange, errors in (
            ("row", row_of_one_source, (1062,)),
            ("column", column_of_one_source, (1060,)),
            ("table", table_of_one_source, (1146,)),
            ("account", account_of_one_source, (1396,)),
        )
    ),
    _in("dual-primary", "one key", both_primaries_on_one_key, 1062),
    _in("dual-primary", "one column", both_primaries_on_one_column, 1060),
    *(
        _in("no-gtid", name, one.arrange, one.errno, *_ON_MARIADB.get(one.errno, ()))
        for name, one in BROKEN.items()
        if name in ("1062-row", "1062-ddl", "1032-row", "1452", "1146-row", "1060", "1061", "1091", "13146")
    ),
    *(
        _in("no-gtid", name, DRIFTED[name].arrange)
        for name in ("column-ahead", "swap-without-shadow", "narrower-varchar", "table-lost-with-rows", "column-order")
    ),
    *(
        _in("no-gtid", name, REFUSED[name].arrange, *REFUSED[name].errors)
        for name in ("1396 create", "1304", "1517", "1701")
    ),
    *(
        Incident(
            f"{what} stopped: {name}", stopped(arrange, *threads), as_shipped=as_shipped, in_every_run=False, only=only
        )
        for what, threads, as_shipped, only in (
            ("receiver", ("IO_THREAD",), False, ""),
            ("channel", ("",), False, ""),
            ("channel, as shipped,", ("",), True, "mariadb"),
        )
        for name, arrange in _WITH_A_STOPPED_RECEIVER.items()
    ),
    *(
        Incident(
            f"as shipped: {name}",
            one.arrange,
            taken_by=_TAKEN_AS_SHIPPED.get(name, one.taken_by),
            only="mariadb",
            as_shipped=True,
            in_every_run=False,
        )
        for name, one in DRIFTED.items()
    ),
)
