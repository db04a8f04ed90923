"""Values and names as MySQL reads them: what core/sql.py writes comes back equal, over thousands of random ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from replfix.core import sql
from replfix.core.rows.json_text import UNEXPLAINED, Typed, canonical, dump
from replfix.core.rows.lookup import Lookup, by_key
from replfix.core.rows.row_values import Json, RowImage, Value
from replfix.core.schema.table import Table, TableName
from replfix.errors import Refused
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from replfix.mysql.read.find_rows import find_all, image
from replfix.mysql.read.table_definitions import read_table
from tests.unit.making import column

SURROGATES: tuple[Literal["Cs"], ...] = ("Cs",)
TEXT = st.text(st.characters(exclude_categories=SURROGATES), max_size=60) | st.lists(
    st.sampled_from(
        ["'", "\\", "\\'", "`", '"', "\0", "\n", "\r", "\x1a", "\x1b[2J", "%", "-- ", "/*", "é", "🎉", "\u202e", ";"]
    )
).map("".join)
DOCUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
DECIMALS = st.decimals(-(10**34), 10**34, places=30)
SESSION = settings(
    max_examples=40,
    phases=[p for p in Phase if p is not Phase.explain],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)


@pytest.fixture
def session(pair: Lab) -> Iterator[Session]:
    with pair.source.session() as opened:
        for statement in ("SET SESSION sql_log_bin = 0", *sql.SESSION_SETTINGS):
            opened.execute(statement)
        yield opened


def selected(session: Session, data_type: str, values: Sequence[Value]) -> list[Any]:
    """One SELECT of all the values as literals, in order."""
    of = column("c", data_type)
    arms = (f"SELECT {n}, {sql.literal(of, value)}" for n, value in enumerate(values))
    return [row[1] for row in sorted(session.rows(" UNION ALL ".join(arms)), key=lambda row: int(row[0]))]


def _bytes(answer: str | bytes) -> bytes:
    return answer if isinstance(answer, bytes) else answer.encode()


@SESSION
@given(st.lists(TEXT, min_size=60, max_size=60))
def test_strings(session: Session, values: list[str]) -> None:
    assert [_bytes(answer).decode() for answer in selected(session, "varchar", values)] == values


@SESSION
@given(st.lists(st.binary(max_size=60), min_size=60, max_size=60))
def test_bytes(session: Session, values: list[bytes]) -> None:
    assert [_bytes(answer) for answer in selected(session, "varbinary", values)] == values


@SESSION
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=60, max_size=60))
def test_floats_are_exact(session: Session, values: list[float]) -> None:
    assert [float(answer) for answer in selected(session, "double", values)] == values


@SESSION
@given(st.lists(DECIMALS, min_size=40, max_size=40))
def test_decimals(session: Session, values: list[Decimal]) -> None:
    assert [Decimal(answer) for answer in selected(session, "decimal", values)] == values


@SESSION
@given(st.lists(st.integers(-(2**63), 2**64 - 1), min_size=60, max_size=60))
def test_integers(session: Session, values: list[int]) -> None:
    assert [int(answer) for answer in selected(session, "bigint", values)] == values


@SESSION
@given(st.lists(DOCUMENTS, min_size=20, max_size=20))
def test_json(session: Session, values: list[Any]) -> None:
    answers = selected(session, "json", [Json(dump(value)) for value in values])
    assert [json.loads(answer) for answer in answers] == values


def test_values_of_sql_types_inside_json_keep_their_types(session: Session) -> None:
    """In JSON text a DECIMAL would turn into a double, a date into a string."""
    typed = [
        Typed("DECIMAL(10,4)", -1.5, "-1.5000"),
        Typed("DECIMAL(20,0)", 2**64, str(2**64)),
        Typed("DATE", "2020-01-02", "2020-01-02"),
        Typed("TIME(6)", "-13:04:05.600000", "-13:04:05.600000"),
        Typed("DATETIME(6)", "2020-01-02 03:04:05.000006", "2020-01-02 03:04:05.000006"),
        Typed("BINARY", "base64:type15:AP8=", b"\0\xff"),
        Typed("BINARY", "base64:type15:", b""),
    ]
    types = ["DECIMAL", "DECIMAL", "DATE", "TIME", "DATETIME", "BLOB", "BLOB"]
    document = {"it's": [*typed, "plain", 1.5, None], "other": {"é": True}}
    (answer,) = selected(session, "json", [Json(dump(document), document)])
    assert canonical(answer) == dump(document)
    written = sql.literal(column("c", "json"), Json(dump(document), document))
    path = "'$.\"it''s\"[{}]'"
    asked = ", ".join(f"JSON_TYPE(JSON_EXTRACT({written}, {path.format(n)}))" for n in range(len(typed) + 2))
    assert list(session.rows(f"SELECT {asked}")[0]) == [*types, "STRING", "DOUBLE"]
    for value, type_ in zip(typed, types, strict=True):
        alone = sql.literal(column("c", "json"), Json(dump(value), value))
        assert session.scalar(f"SELECT JSON_TYPE({alone})") == type_


def test_a_selected_document_tells_that_it_holds_values_of_sql_types(session: Session) -> None:
    name = TableName("typed", "t")
    session.execute("CREATE DATABASE typed")
    session.execute("CREATE TABLE typed.t (id INT PRIMARY KEY, j JSON)")
    held = [
        "DATE'2020-01-02'",
        "TIME'-01:02:03.5'",
        "TIMESTAMP'2020-01-02 03:04:05'",
        "x'00FF'",
        "12345678901234567890123.5",
    ]
    plain = [
        "1.50",
        "'2020-01-02'",
        "1e100",
        "18446744073709551615",
        "CAST('null' AS JSON)",
        "'base64:type15:AP8='",
        "'~'",
    ]
    values = [f"JSON_OBJECT('k', JSON_ARRAY({value}, 'é'))" for value in (*held, *plain)]
    rows = ", ".join(f"({n}, {value})" for n, value in enumerate([*values, "NULL", "'\"~x\"'"]))
    session.execute(f"INSERT INTO typed.t VALUES {rows}")
    table = read_table(session, name)
    assert table is not None
    found = [image(table, row)[1] for row in session.rows(f"SELECT {sql.select_list(table)} FROM typed.t ORDER BY id")]
    told = [isinstance(value, Json) and value.typed is UNEXPLAINED for value in found]
    assert told == [True] * len(held) + [False] * (len(plain) + 2)
    assert found[-2:] == [None, Json('"~x"')]
    with pytest.raises(Refused, match="column j has values of SQL types"):
        sql.insert_row(table, (1, found[0]))


@pytest.mark.parametrize("type_", ["BIT", "TIMESTAMP", "LONGBLOB", "fixed BINARY", "type 255"])
def test_a_value_inside_json_that_no_statement_can_write_is_refused(type_: str) -> None:
    document = [1, {"k": Typed(type_, "x", "x")}]
    with pytest.raises(Refused, match=f"column c has a value of the SQL type {type_}"):
        sql.literal(column("c", "json"), Json(dump(document), document))


NAMES = ("a`b", "a.b", "it's", 'sa"y', "two words", "ünï", "`", "--", "select", "semi;colon", "back\\slash", "%s", "{}")


@pytest.fixture
def odd(session: Session) -> Table:
    """A table whose names are all hostile, with a column for each kind of value."""
    name = TableName("sch`e.ma '\"", "t`a.b 'l\"e")
    q = sql.identifier
    session.execute(f"CREATE DATABASE {q(name.schema)}")
    session.execute(
        f"CREATE TABLE {sql.table_name(name)} ("
        f"{q('a`b')} BIGINT PRIMARY KEY, {q('a.b')} LONGTEXT COLLATE utf8mb4_bin, {q('it' + chr(39) + 's')} LONGBLOB, "
        f"{q('sa' + chr(34) + 'y')} DECIMAL(65,30), {q('two words')} DOUBLE, {q('ünï')} BIGINT UNSIGNED, "
        f"{q('`')} JSON, {q('--')} VARCHAR(60) COLLATE utf8mb4_bin, UNIQUE {q('select')} ({q('--')}))"
    )
    table = read_table(session, name)
    assert table is not None
    return table


ROWS = st.lists(
    st.tuples(
        st.none() | TEXT,
        st.none() | st.binary(max_size=60),
        st.none() | DECIMALS,
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        st.none() | st.integers(0, 2**64 - 1),
        st.none() | DOCUMENTS.map(lambda value: Json(dump(value))),
        # No trailing space: a VARCHAR key pads with spaces under this collation.
        TEXT.map(lambda text: f"{text[:50]}."),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda row: row[-1],
)


def _found(session: Session, table: Table, lookups: Sequence[Lookup]) -> list[RowImage]:
    answers = find_all(session, {table.name: table}, lookups)
    return [row for lookup in lookups for row in answers[lookup]]


def _lookup(table: Table, key: int, row: RowImage) -> Lookup:
    lookup = by_key(table, table.unique_keys[key], row)
    assert lookup is not None
    return lookup


@SESSION
@given(ROWS)
def test_rows_are_inserted_found_changed_and_deleted(
    session: Session, odd: Table, given_rows: list[tuple[Any, ...]]
) -> None:
    session.execute("BEGIN")
    for number, values in enumerate(given_rows):
        assert session.execute(sql.insert_row(odd, (number, *values))) == 1
    # JSON comes back with its keys in the server's order, so from here on the rows are the server's.
    held = [
        image(odd, answer)
        for number in range(len(given_rows))
        for answer in session.rows(sql.select_row(odd, _lookup(odd, 0, (number, *given_rows[number]))))
    ]
    for number, (values, row) in enumerate(zip(given_rows, held, strict=True)):
        for one, other in zip((number, *values), row, strict=True):
            if isinstance(one, Json):
                assert isinstance(other, Json)
                assert json.loads(one.text) == json.loads(other.text)
            else:
                assert one == other
    assert _found(session, odd, [_lookup(odd, 1, row) for row in held]) == held, "by a hostile unique key"
    for current, target in zip(held, (held[-1][1:7], *(row[1:7] for row in held)), strict=False):
        changed = (current[0], *target, current[7])
        if changed != current:
            assert session.execute(sql.update_row(odd, current, changed)) == 1
            assert _found(session, odd, [_lookup(odd, 0, current)]) == [changed]
    for row in held:
        assert session.execute(sql.delete_row(odd, row)) == 1
    assert session.rows(f"SELECT 1 FROM {sql.table_name(odd.name)}") == []
    session.execute("ROLLBACK")


@pytest.mark.parametrize("name", NAMES)
def test_identifiers(session: Session, name: str) -> None:
    table = TableName(name, name)
    session.execute(f"CREATE DATABASE {sql.identifier(name)}")
    session.execute(f"CREATE TABLE {sql.table_name(table)} ({sql.identifier(name)} INT PRIMARY KEY)")
    known = read_table(session, table)
    assert known is not None
    assert known.columns[0].name == name
    assert session.execute(sql.insert_row(known, (7,))) == 1
    assert _found(session, known, [_lookup(known, 0, (7,))]) == [(7,)]
    assert session.execute(sql.update_row(known, (7,), (8,))) == 1
    assert session.execute(sql.delete_row(known, (8,))) == 1
