"""Receivers that their source refuses, or that cannot read what it sends: how each is staged, and how the channel is put back."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack

from replfix.core.sql import string
from replfix.lab.flavours import speaking
from replfix.lab.lab_accounts import REPL
from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import wait_until_received, wait_until_stopped, write_locally
from replfix.lab.topologies.wiring import set_gtid_mode
from replfix.lab.topology import Lab
from tests import waiting
from tests.field.topologies.connected import purge
from tests.following.incident import Incident
from tests.following.relay import relay

_RELAYS = ExitStack()
"""Until the incident is put back."""

ACCOUNT = f"{REPL.name}@'%'"


def break_receiver(
    lab: Lab, on_source: tuple[str, ...] = (), on_replica: tuple[str, ...] = (), then: tuple[str, ...] = ()
) -> None:
    """The receiver started again under those settings, and what it says waited for."""
    with lab.source.session() as session:
        session.execute("SET sql_log_bin = 0")
        for statement in on_source:
            session.execute(statement)
    with lab.replica.session() as session:
        for statement in ("STOP REPLICA", *on_replica, "START REPLICA"):
            session.execute(statement)
    with lab.source.session() as session:
        for statement in then:
            session.execute(statement)
    refused(lab)


def refused(lab: Lab) -> None:
    def told() -> bool:
        with lab.replica.session() as session:
            state = speaking(session).channel_state(session)
            return state is not None and bool(state.receiver_message)

    waiting.until(told, "the receiver says nothing")


def newer_source(lab: Lab) -> None:
    """It says so itself; else it is the same."""
    with lab.source.session() as session:
        version = session.server_version.encode()
    port = _RELAYS.enter_context(relay(lab.source.port, version, re.sub(rb"\.\d\.", b".9.", version, count=1)))
    off = "SET GLOBAL replica_allow_higher_version_source = OFF"
    break_receiver(lab, on_replica=(off, _change(lab, f"PORT = {port}")))


def no_relay(lab: Lab) -> None:
    put_back(lab)
    _RELAYS.close()
    with lab.replica.session() as session:
        session.execute("SET GLOBAL replica_allow_higher_version_source = DEFAULT")


def put_back(lab: Lab) -> None:
    """As a lab has it: accounts, settings and the channel."""
    with lab.source.session() as session:
        if not session.is_mariadb:
            session.execute("SET GLOBAL require_secure_transport = OFF")
        session.execute("SET GLOBAL max_allowed_packet = DEFAULT")
        session.execute("SET sql_log_bin = 0")
        session.execute(f"GRANT REPLICATION SLAVE ON *.* TO {ACCOUNT}")
        session.execute(f"ALTER USER {ACCOUNT} IDENTIFIED BY {string(REPL.password)} ACCOUNT UNLOCK")
    with lab.replica.session() as session:
        session.execute("STOP REPLICA")
        session.execute(f"SET GLOBAL server_id = {lab.replica.server_id}")
        session.execute("SET GLOBAL max_allowed_packet = DEFAULT")
        session.execute(f"SET GLOBAL {_packet(lab.replica)} = DEFAULT")
        if not session.is_mariadb:
            session.execute("CHANGE REPLICATION SOURCE TO SOURCE_SSL = 0")
        speaking(session).configure_channel(session, lab.source.host, lab.source.port, REPL)
        session.execute("START REPLICA")


def _packet(server: LabServer) -> str:
    with server.session() as session:
        return f"{'slave' if session.is_mariadb else 'replica'}_max_allowed_packet"


def _change(lab: Lab, option: str) -> str:
    with lab.replica.session() as session:
        if session.is_mariadb:
            return f"CHANGE MASTER TO MASTER_{option}"
    return f"CHANGE REPLICATION SOURCE TO SOURCE_{option}"


def one_id(lab: Lab) -> None:
    with lab.source.session() as session:
        same = session.scalar("SELECT @@global.server_id")
    break_receiver(lab, on_replica=(f"SET GLOBAL server_id = {same}",))


def without_the_privilege(lab: Lab) -> None:
    break_receiver(lab, on_source=(f"REVOKE REPLICATION SLAVE ON *.* FROM {ACCOUNT}",))


def locked(lab: Lab) -> None:
    break_receiver(lab, on_source=(f"ALTER USER {ACCOUNT} ACCOUNT LOCK",))


def expired(lab: Lab) -> None:
    break_receiver(lab, on_source=(f"ALTER USER {ACCOUNT} PASSWORD EXPIRE",))


def tls_wanted(lab: Lab) -> None:
    break_receiver(lab, on_source=("SET GLOBAL require_secure_transport = ON",))


def no_way_for_the_password(lab: Lab) -> None:
    change = "CHANGE REPLICATION SOURCE TO GET_SOURCE_PUBLIC_KEY = 0, SOURCE_SSL = 0"
    break_receiver(lab, on_source=("FLUSH PRIVILEGES",), on_replica=(change,))


def another_password(lab: Lab) -> None:
    break_receiver(lab, on_replica=(_change(lab, "PASSWORD = 'another'"),))


def nobody_there(lab: Lab) -> None:
    break_receiver(lab, on_replica=(_change(lab, "PORT = 1"),))


def unknown_host(lab: Lab) -> None:
    break_receiver(lab, on_replica=(_change(lab, "HOST = 'no.such.host.invalid'"),))


def large_event(lab: Lab) -> None:
    """Larger than what the replica takes."""
    break_receiver(
        lab,
        on_replica=(f"SET GLOBAL {_packet(lab.replica)} = 1048576",),
        then=(
            "CREATE DATABASE d",
            "CREATE TABLE d.t (id INT PRIMARY KEY, b LONGTEXT)",
            "SET SESSION binlog_format = ROW",
            "INSERT INTO d.t VALUES (1, REPEAT('x', 3000000))",
        ),
    )


def _stop(lab: Lab) -> None:
    with lab.replica.session() as session:
        session.execute("STOP REPLICA")


def _start(lab: Lab) -> None:
    with lab.replica.session() as session:
        session.execute("START REPLICA")


def _written(lab: Lab, *statements: str) -> None:
    with lab.source.session() as session:
        for statement in statements:
            session.execute(statement)


TABLE = ("CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(20))")


def purged(lab: Lab) -> None:
    _written(lab, *TABLE)
    lab.wait_until_applied()
    _stop(lab)
    _written(lab, "INSERT INTO d.t VALUES (1, 'lost')")
    purge_all(lab.source)
    _written(lab, "INSERT INTO d.t VALUES (2, 'there')")
    _start(lab)
    refused(lab)


def purge_all(source: LabServer) -> None:
    with source.session() as session:
        for (thread,) in session.rows(
            "SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'"
        ):
            session.execute(f"KILL {int(thread)}")
        purge(session)


def source_reset(lab: Lab) -> None:
    """The source has lost what the replica has, as after a crash or a restore."""
    _written(lab, *TABLE, "INSERT INTO d.t VALUES (1, 'x'), (2, 'y')", "INSERT INTO d.t VALUES (3, 'z')")
    lab.wait_until_applied()
    _stop(lab)
    with lab.source.session() as session:
        speaking(session).forget(session)
    _written(lab, "INSERT INTO d.t VALUES (4, 'later')")
    _start(lab)
    refused(lab)


def damaged_at_the_source(lab: Lab) -> None:
    """In the GTID event of a transaction, so that the applier has nothing of it to wait for."""
    _written(lab, *TABLE)
    lab.wait_until_applied()
    _stop(lab)
    with lab.source.session() as session:
        *_, newest = session.query("SHOW BINARY LOGS")
    _written(lab, "INSERT INTO d.t VALUES (1, 'damaged')", "INSERT INTO d.t VALUES (2, 'behind')")
    log = lab.source.data / newest["Log_name"]
    data = bytearray(log.read_bytes())
    at = int(newest["File_size"])
    length = int.from_bytes(data[at + 9 : at + 13], "little")
    data[at + length - 1] ^= 0xFF  # its checksum
    log.write_bytes(data)
    _start(lab)
    refused(lab)


def gtids_switched_off(lab: Lab) -> None:
    _stop(lab)
    set_gtid_mode((lab.source,), "OFF")
    _start(lab)
    refused(lab)


def _gtids_again(lab: Lab) -> None:
    set_gtid_mode((lab.source,), "ON")


def conflict_and_purged(lab: Lab) -> None:
    """The applier has stopped on a row. The receiver lost its connection; when it could connect again, the source had purged what it
    needs next: error 1236 stopped it, and nobody else did. What it received before is in no other place."""
    _written(lab, *TABLE)
    lab.wait_until_applied()
    write_locally(lab.replica, "INSERT INTO d.t VALUES (1, 'local')", logged=False)
    _written(
        lab,
        "SET SESSION binlog_format = ROW",
        "INSERT INTO d.t VALUES (1, 'source')",
        "INSERT INTO d.t VALUES (2, 'source')",
    )
    wait_until_stopped(lab.replica)
    wait_until_received(lab.source, lab.replica)
    _unlogged(lab.source, f"ALTER USER {ACCOUNT} ACCOUNT LOCK")
    with lab.source.session() as session:
        for (thread,) in session.rows(
            "SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'"
        ):
            session.execute(f"KILL {int(thread)}")
    refused(lab)
    _written(lab, "SET SESSION binlog_format = ROW", "INSERT INTO d.t VALUES (3, 'lost')")
    purge_all(lab.source)
    _written(lab, "SET SESSION binlog_format = ROW", "INSERT INTO d.t VALUES (4, 'there')")
    _unlogged(lab.source, f"ALTER USER {ACCOUNT} ACCOUNT UNLOCK")

    def stopped() -> bool:
        with lab.replica.session() as session:
            state = speaking(session).channel_state(session)
            return state is not None and "1236" in state.receiver_message

    waiting.until(stopped, "the receiver is not stopped by 1236")


def _unlogged(server: LabServer, statement: str) -> None:
    with server.session() as session:
        session.execute("SET sql_log_bin = 0")
        session.execute(statement)


def _incident(
    name: str,
    arrange: Callable[[Lab], None],
    errors: tuple[int, ...],
    only: str = "",
    back: Callable[[Lab], None] = put_back,
    *,
    as_shipped: bool = False,
) -> Incident:
    return Incident(
        f"receiver: {name}", arrange, errors, only, put_back=back, as_shipped=as_shipped, in_every_run=False
    )


RECEIVERS = (
    _incident("one server_id", one_id, (13117, 1593)),
    _incident("no REPLICATION SLAVE", without_the_privilege, (13120, 1597, 1227)),
    _incident("locked account", locked, (3118, 4151)),
    _incident("expired password", expired, (1820, 1862)),
    _incident("TLS wanted", tls_wanted, (3159,), "mysql"),
    _incident("no way for the password", no_way_for_the_password, (2061,), "mysql"),
    _incident("another password", another_password, (1045,)),
    _incident("nobody there", nobody_there, (2003,)),
    _incident("unknown host", unknown_host, (2005,)),
    _incident("large event", large_event, (1153, 13125, 1236, 13122, 1594)),
    _incident("purged", purged, (1236, 13114)),
    _incident("source reset", source_reset, (1236, 13114)),
    _incident("source's log damaged", damaged_at_the_source, (13122, 1595)),
    _incident("newer source", newer_source, (15671,), "mysql", no_relay),
    _incident("source without GTIDs", gtids_switched_off, (1236, 13114, 13117), "mysql", _gtids_again),
    _incident("1062 and 1236 purged", conflict_and_purged, (1062,)),
    _incident("1062 and 1236 purged, as shipped", conflict_and_purged, (1062,), "mariadb", as_shipped=True),
)
