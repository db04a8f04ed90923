"""How quickly are row events decoded, beside python-mysql-replication and the server's own mysqlbinlog?

    python -m benchmarks.decode [--rows 300000]

A lab server writes a table of ten columns (integers, DECIMAL, DATETIME, TIMESTAMP, texts, a DOUBLE; one column in ten
is NULL), in transactions of 1,000 rows. Then, on the same log in the same run: replfix from memory, all columns and
those of the primary key alone; python-mysql-replication over the wire (it cannot read from memory); mysqlbinlog from
the file, to /dev/null. Prints medians of three in rows a second and their ratios. A second is one of processor time, the
reader's own: what else the machine does, and the server that sends, do not count.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.row_event import WriteRowsEvent

from replfix.core.binlog.row_event import RowChange
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Column, TableName
from replfix.lab import topology
from replfix.lab.lab_accounts import ADMIN
from replfix.lab.provision.software import Software
from replfix.lab.topology import Lab
from replfix.mysql.binlog.events.checked_events import HEADER, Event, EventType, events
from replfix.mysql.binlog.events.layout import layout
from replfix.mysql.binlog.events.rows_events import RowDecoder, read_head
from replfix.mysql.binlog.events.table_map import read_table_map

COLUMNS = (
    "id BIGINT UNSIGNED PRIMARY KEY, customer INT NOT NULL, state TINYINT NOT NULL, name VARCHAR(60) NOT NULL, "
    "street VARCHAR(300), total DECIMAL(10,2) NOT NULL, created DATETIME NOT NULL, changed TIMESTAMP(6) NOT NULL, "
    "weight DOUBLE NOT NULL, note TEXT"
)
VALUES = (
    "n, n % 9973, n % 7, CONCAT('customer ', n), IF(n % 10 = 0, NULL, CONCAT('street ', n % 100)), n % 100000 / 100, "
    "'2024-01-01' + INTERVAL n SECOND, '2024-06-01' + INTERVAL n * 1001 MICROSECOND, n / 7, CONCAT('a note on ', n)"
)
BATCH = 1000


def written(lab: Lab, rows: int) -> Path:
    """The log that holds the rows, as a file of the server's."""
    with lab.source.session() as session:
        # It stays: python-mysql-replication decides by the setting of now.
        session.execute("SET GLOBAL binlog_row_metadata = FULL")
        for statement in (
            "DROP DATABASE IF EXISTS bench",
            "CREATE DATABASE bench",
            "USE bench",
            f"CREATE TABLE t ({COLUMNS})",
            "SET time_zone = '+00:00', cte_max_recursion_depth = 100000",
            "FLUSH BINARY LOGS",
        ):
            session.execute(statement)
        for first in range(1, rows + 1, BATCH):
            session.execute(
                f"INSERT INTO t WITH RECURSIVE c (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM c "
                f"WHERE n < {first + BATCH - 1}) SELECT {VALUES} FROM c"
            )
        name = str(session.query("SHOW BINARY LOG STATUS")[0]["File"])
        session.execute("FLUSH BINARY LOGS")
    return lab.source.data / name


def read(log: Path) -> list[Event]:
    """Every checked event of a log: what is timed is the decoding."""

    def raws(data: bytes) -> Iterator[bytes]:
        at = 4
        while at < len(data):
            size = HEADER.unpack_from(data, at)[3]
            yield data[at : at + size]
            at += size

    return list(events(raws(log.read_bytes())))


def no_definition(name: TableName) -> tuple[Column, ...]:
    raise AssertionError(f"the log holds the metadata of {name}")


def replfix(found: list[Event], wanted: frozenset[int] | None, *, as_changes: bool) -> int:
    decoder: RowDecoder | None = None
    count = 0
    for event in found:
        if event.type == EventType.TABLE_MAP and decoder is None:
            decoder = RowDecoder(layout(read_table_map(event), no_definition, lambda _: "utf8mb4"), wanted)
        elif event.type == EventType.WRITE_ROWS:
            assert decoder is not None
            head = read_head(event)
            rows: list[RowChange] | list[RowImage]
            rows = decoder.changes(event, head) if as_changes else decoder.images(event, head)
            count += len(rows)
    return count


def python_mysql_replication(lab: Lab, log: Path) -> int:
    stream = BinLogStreamReader(
        connection_settings={
            "host": lab.source.host,
            "port": lab.source.port,
            "user": ADMIN.name,
            "password": ADMIN.password,
        },
        server_id=987654,
        log_file=log.name,
        log_pos=4,
        resume_stream=True,
        only_events=[WriteRowsEvent],
        only_schemas=["bench"],
        blocking=False,
    )
    try:
        return sum(len(event.rows) for event in stream if event.packet.log_pos)
    finally:
        stream.close()


def mysqlbinlog(lab: Lab, log: Path) -> None:
    assert isinstance(lab.provision, Software), "mysqlbinlog comes with servers that are processes of this machine"
    command = lab.provision.client_command("mysqlbinlog", "--base64-output=decode-rows", "-vv", str(log))
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def processor_time() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def median(run: Callable[[], object]) -> float:
    """Seconds of processor time."""
    taken = []
    for _ in range(3):
        start = processor_time()
        run()
        taken.append(processor_time() - start)
    return statistics.median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=300_000)
    rows = parser.parse_args().rows // BATCH * BATCH
    lab = topology.up("decode-benchmark", 1)
    try:
        log = written(lab, rows)
        found = read(log)
        assert replfix(found, None, as_changes=True) == rows
        assert python_mysql_replication(lab, log) == rows
        seconds = {
            "replfix, all columns, as changes": median(lambda: replfix(found, None, as_changes=True)),
            "replfix, all columns, images": median(lambda: replfix(found, None, as_changes=False)),
            "replfix, key columns, images": median(lambda: replfix(found, frozenset({0}), as_changes=False)),
            "mysqlbinlog -vv": median(lambda: mysqlbinlog(lab, log)),
            "python-mysql-replication": median(lambda: python_mysql_replication(lab, log)),
        }
        print(f"{rows} rows of 10 columns, {log.stat().st_size / 1e6:.1f} MB")
        for name, taken in seconds.items():
            ratio = seconds["mysqlbinlog -vv"] / taken
            other = seconds["python-mysql-replication"] / taken
            print(
                f"{name:35} {rows / taken:12,.0f} rows/s   {ratio:6.2f} x mysqlbinlog   {other:6.1f} x python-mysql-replication"
            )
    finally:
        topology.down("decode-benchmark")


if __name__ == "__main__":
    main()
