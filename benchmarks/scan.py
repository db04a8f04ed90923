"""How fast is a binlog read and decoded, beside the server's own mysqlbinlog and python-mysql-replication?

    python -m benchmarks.scan [--rows 1000000] [--small 200000] [--rounds 5]

A lab server writes rows of ten columns, in 1,000 transactions and as transactions of one row. Each reader gets the same
file over the same kind of connection, in a process of its own: replfix all columns of every row, mysqlbinlog with
``--base64-output=decode-rows -vv`` to /dev/null. A second is one of processor time, the reader's own: what else the
machine does, and the server that sends, do not count.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.row_event import WriteRowsEvent

from benchmarks.harness import COLUMNS, ROUNDS, VALUES, Cost, Part, in_child, lab, measured, run
from replfix.core.replication.gtid import GtidSet
from replfix.lab.lab_accounts import ADMIN, REPLFIX
from replfix.lab.provision.software import Software
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from replfix.mysql.server import MysqlServer

TRANSACTIONS = 1000


@dataclass(frozen=True, slots=True)
class Written:
    """What is read: a file of the source's binlog."""

    what: str
    rows: int
    log_file: str
    gtids: GtidSet


def written(lab: Lab, what: str, rows: int, each: int) -> Written:
    with lab.source.session() as session:
        # It stays: python-mysql-replication decides by the setting of now.
        session.execute("SET GLOBAL binlog_row_metadata = FULL")
        before = _executed(session)
        for statement in (
            "DROP DATABASE IF EXISTS bench",
            "CREATE DATABASE bench",
            "USE bench",
            f"CREATE TABLE t ({COLUMNS})",
            "CREATE PROCEDURE fill(rows_of_all INT, rows_of_each INT) BEGIN DECLARE i INT DEFAULT 0; WHILE i < rows_of_all DO "
            "INSERT INTO t WITH RECURSIVE c (n) AS (SELECT i + 1 UNION ALL SELECT n + 1 FROM c WHERE n < i + rows_of_each) "
            f"SELECT {VALUES} FROM c; SET i = i + rows_of_each; END WHILE; END",
            "SET time_zone = '+00:00', cte_max_recursion_depth = 1000000, max_execution_time = 0",
            "FLUSH BINARY LOGS",
            f"CALL fill({rows}, {each})",
        ):
            session.execute(statement)
        name = str(session.query("SHOW BINARY LOG STATUS")[0]["File"])
        session.execute("FLUSH BINARY LOGS")
        return Written(what, rows, name, _executed(session) - before)


def _executed(session: Session) -> GtidSet:
    return GtidSet.parse(str(session.scalar("SELECT @@global.gtid_executed")))


def ours(lab: Lab, of: Written) -> Cost:
    def read() -> None:
        server = MysqlServer(lab.source.endpoint(REPLFIX))
        found = server.readable(of.gtids)
        assert sum(len(one.changes) for one in found if hasattr(one, "changes")) == of.rows

    return in_child(read)


def mysqlbinlog(lab: Lab, of: Written) -> Cost:
    assert isinstance(lab.provision, Software), "mysqlbinlog comes with servers that are processes of this machine"
    server = (f"--host={lab.source.host}", f"--port={lab.source.port}", f"--user={ADMIN.name}")
    options = ("--read-from-remote-server", "--base64-output=decode-rows", "-vv", of.log_file)
    command = lab.provision.client_command("mysqlbinlog", *server, *options)
    cost = run(command, keep=False, environment={"MYSQL_PWD": ADMIN.password})
    assert not cost.code, cost
    return cost


def python_mysql_replication(lab: Lab, of: Written) -> Cost:
    def read() -> None:
        stream = BinLogStreamReader(
            connection_settings={
                "host": lab.source.host,
                "port": lab.source.port,
                "user": ADMIN.name,
                "password": ADMIN.password,
            },
            server_id=987654,
            log_file=of.log_file,
            log_pos=4,
            resume_stream=True,
            only_events=[WriteRowsEvent],
            blocking=False,
        )
        try:
            assert sum(len(event.rows) for event in stream) == of.rows
        finally:
            stream.close()

    return in_child(read)


READERS: dict[str, Callable[[Lab, Written], Cost]] = {
    "replfix, all columns": ours,
    "mysqlbinlog -vv": mysqlbinlog,
    "python-mysql-replication": python_mysql_replication,
}


def measure(rows: int, small: int, rounds: int = ROUNDS) -> Part:
    lines: list[tuple[str, ...]] = []
    with lab("scan-benchmark") as servers:
        with servers.replica.session() as replica:
            replica.execute("STOP REPLICA")
        for what, count, each in (
            (f"{rows:,} rows in {TRANSACTIONS:,} transactions", rows, max(rows // TRANSACTIONS, 1)),
            (f"{small:,} transactions of one row", small, 1),
        ):
            of = written(servers, what, count, each)
            costs = {
                name: measured(lambda read=read, of=of: read(servers, of), rounds)  # type: ignore[misc]
                for name, read in READERS.items()
            }
            peer = costs["mysqlbinlog -vv"].processor
            lines += [
                (what, name, f"{count / cost.processor:,.0f}", f"{peer / cost.processor:.2f}", f"{cost.wall:.1f}")
                for name, cost in costs.items()
            ]
    return Part(
        "scan",
        ("binlog", "reader", "rows/s of processor", "x mysqlbinlog", "seconds"),
        tuple(lines),
        f"Rows of ten columns, read over a connection on one machine. Medians of {rounds}.",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    print(measure(options.rows, options.small, options.rounds).markdown())


if __name__ == "__main__":
    main()
