"""How fast does a replica get past many conflicts, each in a transaction of its own, and what is left wrong?

    python -m benchmarks.many_conflicts [50 2000 20000] [--seconds 300]

Rows that somebody wrote on the replica have the keys of as many transactions that wait. ``replfix resolve`` clears them
beside ``pt-replica-restart``, on the same servers, without GTIDs, which that program refuses. It is part of Percona
Toolkit 3.7, and found on PATH or at ``$PT_REPLICA_RESTART``; without it, its lines are left out. Both have the same time
at the most; the table says how many conflicts were cleared, and how many rows then differ from the source's.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness import Part, lab
from replfix.lab.lab_accounts import ADMIN
from replfix.lab.replicate import wait_until_applied, wait_until_received, wait_until_stopped
from replfix.lab.topology import Lab

COUNTS = (50, 2000, 20_000)
_BACKGROUND = "SHOW REPLICA STATUS"


def stage(servers: Lab, conflicts: int) -> None:
    """Let the replica stop on the first of them, with all others waiting."""
    with servers.source.session() as source, servers.replica.session() as replica:
        for statement in (
            "DROP DATABASE IF EXISTS bench",
            "CREATE DATABASE bench",
            "USE bench",
            "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(60) NOT NULL, amount DECIMAL(10,2) NOT NULL)",
            "CREATE PROCEDURE fill(n INT) BEGIN DECLARE i INT DEFAULT 0; WHILE i < n DO SET i = i + 1; "
            "INSERT INTO t VALUES (i, CONCAT('source ', i), i); END WHILE; END",
            "SET max_execution_time = 0",
        ):
            source.execute(statement)
        wait_until_applied(servers.source, servers.replica)
        replica.execute("STOP REPLICA SQL_THREAD")
        for statement in (
            "SET GLOBAL super_read_only = 0",
            f"SET sql_log_bin = 0, cte_max_recursion_depth = {conflicts + 1}",
            f"INSERT INTO bench.t WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {conflicts}) "
            "SELECT n, CONCAT('replica ', n), 0 FROM c",
            "SET GLOBAL super_read_only = 1",
        ):
            replica.execute(statement)
        source.execute(f"CALL fill({conflicts})")
        wait_until_received(servers.source, servers.replica)
        replica.execute("START REPLICA SQL_THREAD")
    wait_until_stopped(servers.replica)


def clear(servers: Lab, command: Sequence[str], conflicts: int, seconds: float) -> tuple[float, int, int]:
    """Let the program run until the replica is through; seconds, transactions that it is past, rows that differ."""
    begun = time.perf_counter()
    with servers.replica.session() as replica:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        through = False
        while not through and time.perf_counter() - begun < seconds:
            row = replica.query(_BACKGROUND)[0]
            there = row["Exec_Source_Log_Pos"] == row["Read_Source_Log_Pos"]
            through = (
                there and row["Replica_SQL_Running"] == "Yes" and row["Relay_Source_Log_File"] == row["Source_Log_File"]
            )
            time.sleep(0.02)
        taken = time.perf_counter() - begun
        if process.poll() is None and through and "resolve" in command:
            process.wait()  # it verifies what it did
            taken = time.perf_counter() - begun
        process.terminate()
        process.wait()
        rows = replica.rows("SELECT id, name FROM bench.t")
    wrong = sum(str(name) != f"source {number}" for number, name in rows) + conflicts - len(rows)
    return taken, through, wrong


def peer(servers: Lab) -> list[str] | None:
    found = os.environ.get("PT_REPLICA_RESTART") or shutil.which("pt-replica-restart")
    if found is None:
        return None
    server = [
        "--host",
        servers.replica.host,
        "--port",
        str(servers.replica.port),
        "--user",
        ADMIN.name,
        "--password",
        ADMIN.password,
    ]
    return ["perl", found, *server, "--error-numbers", "1062", "--quiet"]


def measure(counts: Sequence[int] = COUNTS, seconds: float = 300) -> Part:
    lines = []
    with lab("many-conflicts", "no-gtid") as servers, TemporaryDirectory() as state:
        os.environ["XDG_STATE_HOME"] = os.environ.get("XDG_STATE_HOME", "")
        resolve = ["env", f"XDG_STATE_HOME={state}", f"PYTHONPATH={Path(__file__).parent.parent}", sys.executable, "-m", "replfix",
                   "--config", str(servers.config_file), "resolve", "--yes", "--max-rounds", str(max(counts) + 10)]  # fmt: skip
        for conflicts in counts:
            for name, command in (("replfix resolve", resolve), ("pt-replica-restart", peer(servers))):
                if command is None:
                    continue
                stage(servers, conflicts)
                taken, through, wrong = clear(servers, command, conflicts, seconds)
                cleared = conflicts if through else _past(servers)
                lines.append(
                    (
                        f"{conflicts:,}",
                        name,
                        f"{cleared:,}",
                        f"{taken:.1f}",
                        f"{cleared / taken:,.1f}",
                        f"{wrong - (conflicts - cleared):,}",
                    )
                )
                servers.reset()
    return Part(
        "many-conflicts",
        ("conflicts", "program", "cleared", "seconds", "cleared/s", "rows left different"),
        tuple(lines),
        f"One conflict in each transaction, without GTIDs; {seconds:.0f} s at the most.",
    )


def _past(servers: Lab) -> int:
    """Return how many of the transactions the replica has got past."""
    with servers.source.session() as source, servers.replica.session() as replica:
        row = replica.query(_BACKGROUND)[0]
        events = source.rows(f"SHOW BINLOG EVENTS IN '{row['Relay_Source_Log_File']}'")
        ended = [int(event[4]) for event in events if event[2] == "Xid"]
        return sum(end <= int(row["Exec_Source_Log_Pos"]) for end in ended)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("counts", type=int, nargs="*", default=COUNTS)
    parser.add_argument("--seconds", type=float, default=300)
    options = parser.parse_args()
    print(measure(options.counts, options.seconds).markdown())


if __name__ == "__main__":
    main()
