"""How fast a binlog is read, beside python-mysql-replication, from the same server in the same run:

    python -m benchmarks.read_binlog [ROWS]

A lab of its own is started and removed. Prints rows a second and how many times as fast; nothing is asserted.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.row_event import DeleteRowsEvent, UpdateRowsEvent, WriteRowsEvent

from replfix.core.replication.gtid import GtidSet
from replfix.lab import topology
from replfix.lab.lab_accounts import ADMIN, REPLFIX
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from replfix.mysql.server import MysqlServer

TABLE = """CREATE TABLE rows_of_ten (id INT PRIMARY KEY AUTO_INCREMENT, a BIGINT, b VARCHAR(40), c DATETIME, d DECIMAL(12, 2),
e VARCHAR(100), f DOUBLE, g INT, h DATE, i CHAR(10))"""
VALUES = """i * 1000, CONCAT('name ', i), '2024-01-01' + INTERVAL i SECOND, i / 100, CONCAT('some text about ', i), i / 3, i % 7,
'2024-01-01' + INTERVAL i % 1000 DAY, 'const'"""
COLUMNS = "a, b, c, d, e, f, g, h, i"


@contextmanager
def lab() -> Iterator[Lab]:
    try:
        started = topology.up("benchmark", 1)
        with started.replica.session() as replica:
            replica.execute("STOP REPLICA")
        yield started
    finally:
        topology.down("benchmark")


def executed(session: Session) -> GtidSet:
    return GtidSet.parse(str(session.scalar("SELECT @@global.gtid_executed")))


def large(session: Session, rows: int) -> None:
    session.execute(f"SET cte_max_recursion_depth = {rows}")
    numbers = f"WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"
    session.execute(f"INSERT INTO rows_of_ten ({COLUMNS}) {numbers} SELECT {VALUES} FROM n")


def small(session: Session, rows: int) -> None:
    session.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 0, GLOBAL sync_binlog = 0")
    for number in range(rows):
        session.execute(
            f"INSERT INTO rows_of_ten ({COLUMNS}) SELECT {VALUES.replace('i ', f'{number} ')} FROM (SELECT {number} AS i) n"
        )


def ours(lab: Lab, wanted: GtidSet, _: GtidSet) -> int:
    server = MysqlServer(lab.source.endpoint(REPLFIX))
    return sum(len(transaction.changes) for transaction in server.transactions(wanted, sys.maxsize))


def theirs(lab: Lab, _: GtidSet, before: GtidSet) -> int:
    endpoint = lab.source.endpoint(ADMIN)
    assert endpoint.password is not None
    stream = BinLogStreamReader(
        connection_settings={
            "host": endpoint.host,
            "port": endpoint.port,
            "user": endpoint.user,
            "passwd": endpoint.password.reveal(),
        },
        server_id=4_000_000_001,
        auto_position=str(before),
        only_events=[WriteRowsEvent, UpdateRowsEvent, DeleteRowsEvent],
    )
    try:
        return sum(len(event.rows) for event in stream)
    finally:
        stream.close()


def timed(read: Callable[[Lab, GtidSet, GtidSet], int], lab: Lab, wanted: GtidSet, before: GtidSet, rows: int) -> float:
    took = []
    for _ in range(3):
        start = time.perf_counter()
        assert read(lab, wanted, before) == rows
        took.append(time.perf_counter() - start)
    return rows / sorted(took)[1]


def main(rows: int) -> None:
    with lab() as servers, servers.source.session() as session:
        for statement in ("CREATE DATABASE shop", "USE shop", "SET GLOBAL binlog_row_metadata = FULL", TABLE):
            session.execute(statement)
        print(f"{'':40}{'replfix':>12}{'python-mysql-replication':>28}{'ratio':>8}   rows a second, median of 3")
        for write, name, count in (
            (large, "rows in one transaction", rows),
            (small, "transactions of one row", rows // 5),
        ):
            before = executed(session)
            write(session, count)
            wanted = executed(session) - before
            fast, slow = (timed(read, servers, wanted, before, count) for read in (ours, theirs))
            print(f"{f'{count:,} {name}':40}{fast:12,.0f}{slow:28,.0f}{fast / slow:8.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
