"""What do the diagnosis and the resolution of one large transaction cost?

    python -m benchmarks.large_transaction [--rows 100000] [--shape insert|update|delete] [--rounds 5]

A transaction of that many rows of ten columns meets five rows of the replica that conflict with it. Prints the wall
time, the processor time, rows a second of each, and the most memory that ``replfix diagnose`` and ``replfix resolve``
had as processes.
"""

from __future__ import annotations

import argparse

from benchmarks.harness import COLUMNS, ROUNDS, VALUES, Cost, Part, lab, median, replfix
from replfix.lab.replicate import wait_until_applied, wait_until_stopped
from replfix.lab.topology import Lab

CONFLICTS = 5
SHAPES = ("insert", "update", "delete")


def numbers(rows: int) -> str:
    return f"WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {rows})"


def prepare(servers: Lab, rows: int, shape: str) -> None:
    """Make the table anew, on both servers, so that the transaction of that shape will meet a few rows that conflict."""
    with servers.source.session() as source, servers.replica.session() as replica:
        for statement in (
            "SET GLOBAL binlog_row_metadata = FULL",
            "DROP DATABASE IF EXISTS bench",
            "CREATE DATABASE bench",
            f"CREATE TABLE bench.t ({COLUMNS})",
            f"SET time_zone = '+00:00', cte_max_recursion_depth = {rows}",
        ):
            source.execute(statement)
        if shape != "insert":
            source.execute(f"INSERT INTO bench.t {numbers(rows)} SELECT {VALUES} FROM c")
        wait_until_applied(servers.source, servers.replica, seconds=1200)
        places = ", ".join(str((number + 1) * rows // (CONFLICTS + 1)) for number in range(CONFLICTS))
        replica.execute("SET sql_log_bin = 0, time_zone = '+00:00'")
        replica.execute("SET GLOBAL super_read_only = 0")
        if shape == "insert":
            for n in places.split(", "):
                replica.execute(f"INSERT INTO bench.t SELECT {VALUES} FROM (SELECT {n} AS n) c")
                replica.execute(f"UPDATE bench.t SET note = 'written on the replica' WHERE id = {n}")
        else:
            replica.execute(f"DELETE FROM bench.t WHERE id IN ({places})")
        replica.execute("SET GLOBAL super_read_only = 1")


def commit(servers: Lab, rows: int, shape: str) -> None:
    """Let the replica stop on the transaction."""
    with servers.source.session() as source:
        source.execute(f"SET time_zone = '+00:00', cte_max_recursion_depth = {rows}")
        source.execute(
            {
                "insert": f"INSERT INTO bench.t {numbers(rows)} SELECT {VALUES} FROM c",
                "update": "UPDATE bench.t SET total = total + 1, note = CONCAT(note, ' again')",
                "delete": "DELETE FROM bench.t",
            }[shape]
        )
    wait_until_stopped(servers.replica, seconds=1200)


def measure(rows: int, shape: str = "insert", rounds: int = ROUNDS) -> Part:
    costs: dict[str, list[Cost]] = {"diagnose": [], "resolve": []}
    with lab("large-transaction") as servers, replfix(servers) as command:
        for _ in range(rounds):
            prepare(servers, rows, shape)
            commit(servers, rows, shape)
            costs["diagnose"].append(command("diagnose", "--json", expected=3))
            costs["resolve"].append(command("resolve", "--yes", "--json"))
    return Part(
        "large-transaction",
        ("command", "seconds", "of processor", "rows/s of processor", "MB"),
        tuple(_line(what, median(each), rows) for what, each in costs.items()),
        f"One {shape} transaction of {rows:,} rows of ten columns, {CONFLICTS} of them in conflict.",
    )


def _line(what: str, cost: Cost, rows: int) -> tuple[str, ...]:
    return (
        what,
        f"{cost.wall:.1f}",
        f"{cost.processor:.1f}",
        f"{rows / cost.processor:,.0f}",
        f"{cost.megabytes:.0f}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--shape", choices=SHAPES, default="insert")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    print(measure(options.rows, options.shape, options.rounds).markdown())


if __name__ == "__main__":
    main()
