"""Differences of JSON documents (binlog_row_value_options=PARTIAL_JSON): what is read is what the server holds."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest

from replfix.core.rows.row_values import NOT_LOGGED, Json
from replfix.core.sql import string
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from tests.integration.binlog.test_binlog_reader import connect, only, write
from tests.integration.resolve.test_trials import resolved, stage

TABLE = "CREATE TABLE docs (id INT PRIMARY KEY, a JSON, n INT, b JSON, c JSON)"
LONG = "x" * 300  # the server logs differences only where they are shorter than the document
PARTIAL, ROWS = "Update_rows_partial", "Update_rows"


@pytest.fixture
def session(pair: Lab) -> Iterator[Session]:
    with connect(pair.source) as session:
        session.execute(TABLE)
        session.execute("SET binlog_row_value_options = PARTIAL_JSON")
        yield session


def held(session: Session, column: str) -> list[Json]:
    """As the server holds it now: its own text, read by Python."""
    return [
        Json(json.dumps(json.loads(row[0]), ensure_ascii=False)) for row in session.rows(f"SELECT {column} FROM docs")
    ]


def after(pair: Lab, session: Session, update: str, column: int) -> object:
    (change,) = only(pair, write(session, f"UPDATE docs SET {update}")).changes
    assert change.after is not None
    return change.after[column]


def kinds(session: Session) -> list[str]:
    file = session.rows("SHOW BINARY LOGS")[-1][0]
    return [str(event[2]) for event in session.rows(f"SHOW BINLOG EVENTS IN '{file}'")]


def test_several_paths_of_several_columns(pair: Lab, session: Session) -> None:
    document = {"a": 1, "b": [1, 2, 3], "long": LONG, 'q"\\ é': {"x": None}, "zz": 0}
    for column in ("a", "c"):
        session.execute("DELETE FROM docs")
        text = string(json.dumps(document))
        session.execute(f"INSERT INTO docs VALUES (1, {text}, 7, {text}, {text})")
        update = (
            f"""{column} = JSON_REMOVE(JSON_SET({column}, '$.a', 'one', '$.b[1]', JSON_ARRAY(), '$.b[3]', 4.5, '$."q\\\\"\\\\\\\\ é".y', 1,"""
            """ '$.bb', TRUE, '$.b[0]', CAST('2024-02-29' AS DATE)), '$.zz', '$.b[2]')"""
        )
        gtid = write(session, f"UPDATE docs SET {update}, n = 8, b = '[]'")
        (change,) = only(pair, gtid).changes
        assert change.before is not None
        assert change.after is not None
        assert PARTIAL in kinds(session)
        for ordinal, name in ((1, "a"), (3, "b"), (4, "c")):
            assert [change.after[ordinal]] == held(session, name)
        assert (change.before[2], change.after[2]) == (7, 8)


def test_whatever_is_done_to_a_document(pair: Lab, session: Session) -> None:
    """Random steps, each compared with the server's own document. The seed is fixed: the same steps in every run."""
    chance = random.Random(7)
    session.execute(
        f"INSERT INTO docs VALUES (1, {string(json.dumps({'k': [0, {'m': {}}], 'long': LONG}))}, 0, NULL, NULL)"
    )
    gtids, expected = [], []
    legs = [".k", ".m", "[0]", "[1]", "[3]", "[last]", '."a b"', ".long2", ".é", "[last-1]", ""]
    for step in range(150):
        path = "$" + "".join(chance.choice(legs) for _ in range(chance.randrange(1, 4)))
        value = chance.choice(
            [
                "1",
                "'text'",
                "JSON_OBJECT('m', 1, 'kk', 2)",
                "JSON_ARRAY(1, 2)",
                "NULL",
                "1.5",
                "1e0",
                "CAST(9 AS DECIMAL(5,2))",
                f"'{LONG}'",
            ]
        )
        function = chance.choice(
            [
                f"JSON_SET(a, {string(path)}, {value})",
                f"JSON_REPLACE(a, {string(path)}, {value})",
                f"JSON_REMOVE(a, {string(path)})",
            ]
        )
        if "REMOVE" in function and path == "$":
            continue
        gtid = write(session, f"UPDATE docs SET a = {function}, n = {step}")
        gtids.append(gtid)
        expected.append(held(session, "a"))
    for gtid, (document,) in zip(gtids, expected, strict=True):
        (change,) = only(pair, gtid).changes
        assert change.after is not None
        assert change.after[1] == document
    assert kinds(session).count(PARTIAL) > 100


def test_documents_that_the_before_image_does_not_hold(pair: Lab, session: Session) -> None:
    session.execute(f"INSERT INTO docs VALUES (1, {string(json.dumps({'a': 1, 'long': LONG}))}, 0, NULL, NULL)")
    session.execute("SET binlog_row_image = MINIMAL")
    number = write(session, "UPDATE docs SET n = 1")
    document = write(session, "UPDATE docs SET a = JSON_SET(a, '$.a', 2)")
    (change,) = only(pair, number).changes
    assert change.after == (NOT_LOGGED, NOT_LOGGED, 1, NOT_LOGGED, NOT_LOGGED)
    (change,) = only(pair, document).changes
    assert change.after == (NOT_LOGGED,) * 5  # the difference is there, and not the document that it was made for


def test_a_conflict_in_a_partial_update_is_resolved(pair: Lab) -> None:
    """The rehearsal takes the event with the differences; the row is verified against the document that they lead to."""
    document = string(json.dumps({"a": 1, "long": LONG}))
    stage(
        pair,
        [TABLE, f"INSERT INTO docs VALUES (1, {document}, 0, NULL, NULL)"],
        ["DELETE FROM shop.docs"],
        [],
        ["SET binlog_row_value_options = PARTIAL_JSON", "UPDATE docs SET a = JSON_SET(a, '$.a', 2, '$.b', 3)"],
    )
    with pair.source.session() as source:
        assert PARTIAL in kinds(source)
    resolved(pair)
