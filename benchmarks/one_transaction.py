"""How long does it take to read one transaction out of a large binlog, wherever it is in it?

    python -m benchmarks.one_transaction [--megabytes 1000] [--rounds 5]

The source writes one file of transactions of 20 KB each. Then the first, the one in the middle and the last are read: by
replfix with the applier's position, which it has from the replica's status, and by the GTID alone; by mysqlbinlog, which
reads the whole file for ``--include-gtids``. Each read makes its own connection.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

from benchmarks.harness import ROUNDS, Part, lab, run
from replfix.lab.lab_accounts import ADMIN, REPLFIX
from replfix.lab.provision.software import Software
from replfix.lab.topology import Lab
from replfix.mysql.server import MysqlServer

KILOBYTES = 20


def fill(servers: Lab, megabytes: int) -> tuple[str, int]:
    """Write the file; return the server's UUID and the number of the first of its transactions."""
    with servers.replica.session() as replica:
        replica.execute("STOP REPLICA")
    with servers.source.session() as source:
        for statement in (
            "CREATE DATABASE bench",
            "USE bench",
            "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, body LONGTEXT)",
            "CREATE PROCEDURE fill(transactions INT) BEGIN DECLARE i INT DEFAULT 0; WHILE i < transactions DO "
            f"INSERT INTO t (body) VALUES (REPEAT('x', {KILOBYTES * 1000})); SET i = i + 1; END WHILE; END",
            "SET GLOBAL max_binlog_size = 1073741824",
            "SET max_execution_time = 0",
            "FLUSH BINARY LOGS",
        ):
            source.execute(statement)
        uuid = str(source.scalar("SELECT @@server_uuid"))
        first = int(str(source.scalar("SELECT @@global.gtid_executed")).rpartition("-")[2]) + 1
        source.execute(f"CALL fill({megabytes * 1000 // KILOBYTES})")
    return uuid, first


def milliseconds(read: Callable[[], object], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        read()
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


def measure(megabytes: int, rounds: int = ROUNDS) -> Part:
    with lab("one-transaction") as servers:
        assert isinstance(servers.provision, Software)
        uuid, first = fill(servers, megabytes)
        last = first + megabytes * 1000 // KILOBYTES - 1
        server = MysqlServer(servers.source.endpoint(REPLFIX))
        log_file = server.transaction(f"{uuid}:{first}").log_file
        peer = servers.provision.client_command(
            "mysqlbinlog", f"--host={servers.source.host}", f"--port={servers.source.port}", f"--user={ADMIN.name}",
            "--read-from-remote-server", "--base64-output=decode-rows", "-vv", log_file,
        )  # fmt: skip
        columns: list[tuple[float, float, float]] = []
        for number in (first, (first + last) // 2, last):
            gtid = f"{uuid}:{number}"
            near = server.transaction(gtid).id.start

            def theirs(gtid: str = gtid) -> None:
                cost = run([*peer, f"--include-gtids={gtid}"], keep=False, environment={"MYSQL_PWD": ADMIN.password})
                assert not cost.code, cost

            columns.append(
                (
                    milliseconds(lambda gtid=gtid, near=near: server.transaction(gtid, near), rounds),  # type: ignore[misc]
                    milliseconds(lambda gtid=gtid: server.transaction(gtid), rounds),  # type: ignore[misc]
                    milliseconds(theirs, rounds),
                )
            )
    names = ("replfix, from the applier's position", "replfix, by GTID alone", "mysqlbinlog --include-gtids")
    lines = (
        (name, *(f"{column[n]:,.0f}" for column in columns), f"{columns[2][n] / columns[0][n]:.2f}")
        for n, name in enumerate(names)
    )
    return Part(
        "one-transaction",
        ("reader", "at the start, ms", "middle, ms", "end, ms", "end / start"),
        tuple(lines),
        f"One transaction of {KILOBYTES} KB out of a binlog file of {megabytes:,} MB. Medians of {rounds}.",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    print(measure(options.megabytes, options.rounds).markdown())


if __name__ == "__main__":
    main()
