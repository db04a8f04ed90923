"""Many look-ups at once find what each of them finds alone, whatever the key compares as equal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from replfix.core import sql
from replfix.core.rows.lookup import Lookup, by_key
from replfix.core.rows.row_values import RowImage, Value
from replfix.core.schema.table import TableName
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from replfix.mysql.read import find_rows
from replfix.mysql.read.find_rows import find_all, find_now
from replfix.mysql.read.table_definitions import read_table

KEYS = """CREATE TABLE found_by (id INT PRIMARY KEY, code BIGINT UNIQUE, name VARCHAR(20) COLLATE utf8mb4_general_ci UNIQUE,
letters VARCHAR(20) COLLATE utf8mb4_bin, day DATE, bits VARBINARY(20), size DECIMAL(10, 2), UNIQUE (letters(2)),
UNIQUE (day, size), UNIQUE (bits), KEY by_size (size))"""
NAMES = ["jose", "JOSÉ", "anna", "Anna ", "b", "c'\\", "", "ß", "ss", "nobody", "x" * 20]


@pytest.fixture
def session(any_pair: Lab) -> Iterator[Session]:
    with any_pair.source.session() as opened:
        for statement in (
            "SET SESSION sql_log_bin = 0",
            *sql.SESSION_SETTINGS,
            "CREATE DATABASE found",
            "USE found",
            KEYS,
        ):
            opened.execute(statement)
        for number in range(1, 61):
            opened.execute(
                f"INSERT IGNORE INTO found_by VALUES ({number * 3 if number > 20 else number}, {number * 7 - 200}, "
                f"{sql.string(NAMES[number % len(NAMES)])}, {sql.string(chr(96 + number % 26) * 3)}, "
                f"'2024-01-01' + INTERVAL {number // 2} DAY, x'{number % 50:02x}00', {number % 2}.50)"
            )
        yield opened
        opened.execute("DROP DATABASE found")


def row(number: int, **over: Value) -> RowImage:
    values: dict[str, Value] = {
        "id": number,
        "code": number * 7 - 200,
        "name": NAMES[number % len(NAMES)],
        "letters": chr(96 + number % 26) * 3,
        "day": f"2024-01-{1 + number // 2 % 31:02}",
        "bits": bytes([number % 60, 0]),
        "size": f"{number % 3}.50",
    }
    return tuple((values | over).values())


def test_as_each_alone(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    table = read_table(session, TableName("found", "found_by"))
    assert table is not None
    found = (by_key(table, key, row(number)) for key in table.unique_keys for number in range(70))
    names = next(key for key in table.unique_keys if key.columns == ("name",))
    lookups = dict.fromkeys(lookup for lookup in found if lookup is not None)
    lookups |= dict.fromkeys(Lookup(table.name, names.name, names.parts, ((name,),)) for name in NAMES)
    alone = {lookup: find_now(session, table, lookup) for lookup in lookups}
    assert {lookup.key for lookup, rows in alone.items() if rows} == {key.name for key in table.unique_keys}
    for most in (5000, 7):
        monkeypatch.setattr(find_rows, "LIST", most)
        monkeypatch.setattr(find_rows, "ANY", most)
        assert find_all(session, {table.name: table}, tuple(lookups)) == alone
