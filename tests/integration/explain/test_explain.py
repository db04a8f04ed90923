"""Each likely cause of a duplicate key staged on a real server: the server's own words are explained as what was done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from replfix.errors import ServerError
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from tests.integration.running import replfix


@pytest.fixture
def source(pair: Lab) -> Iterator[Session]:
    with pair.source.session() as session:
        session.execute("CREATE DATABASE d")
        session.execute("USE d")
        yield session


def refused(session: Session, statement: str) -> str:
    """What the server says to a statement, as the mysql client prints it."""
    with pytest.raises(ServerError) as error:
        session.execute(statement)
    assert error.value.errno == 1062
    return f"ERROR 1062 (23000): {error.value.text}"


def laravel(session: Session, statement: str) -> str:
    said = refused(session, statement).removeprefix("ERROR 1062 (23000): ")
    return f"SQLSTATE[23000]: Integrity constraint violation: 1062 {said} (Connection: mysql, SQL: {statement})"


def explained(pair: Lab, text: str, *options: str) -> dict[str, Any]:
    ran = replfix("explain", "-", "--replica", pair.source.url(), "--json", *options, stdin=text)
    assert ran.code == 0, ran.err
    found: list[dict[str, Any]] = ran.document["explanations"]
    assert len(found) == 1
    return found[0]


def codes(explanation: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in explanation["reasons"]]


def rows(explanation: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for place in explanation["places"] for reading in place["readings"] for row in reading["rows"]]


def test_the_same_insert_again(pair: Lab, source: Session) -> None:
    source.execute(
        "CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, no VARCHAR(20) UNIQUE, total DECIMAL(9,2), at DATETIME)"
    )
    insert = "INSERT INTO orders (no, total, at) VALUES ('A-1', 10.50, '2026-01-01 10:00:00')"
    source.execute(insert)
    found = explained(pair, laravel(source, insert))
    assert codes(found)[0] == "same-insert-again"
    assert found["reasons"][0]["confidence"] == "high"
    assert [row["total"] for row in rows(found)] == ["10.50"]
    # Later, with another time in it: likely the same, not surely.
    again = explained(pair, laravel(source, insert.replace("10:00:00", "10:00:07")))
    assert (codes(again)[0], again["reasons"][0]["confidence"]) == ("same-insert-again", "medium")
    other = explained(pair, laravel(source, insert.replace("10.50", "99")))
    assert "same-insert-again" not in codes(other)
    assert "value-taken" in codes(other)


def test_a_used_up_counter(pair: Lab, source: Session) -> None:
    source.execute("CREATE TABLE tiny (id TINYINT AUTO_INCREMENT PRIMARY KEY)")
    source.execute("INSERT INTO tiny VALUES (127)")
    found = explained(pair, refused(source, "INSERT INTO tiny VALUES (NULL)"))
    assert codes(found)[0] == "counter-exhausted"
    assert found["places"][0]["auto_increment"]["limit"] == 127
    for statement in found["reasons"][0]["fixes"][0]["sql"]:
        source.execute(statement)
    source.execute("INSERT INTO tiny VALUES (NULL)")


def test_ids_from_two_sides(pair: Lab, source: Session) -> None:
    source.execute("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, who VARCHAR(20))")
    source.execute("INSERT INTO t (who) VALUES ('the counter'), ('the counter')")
    found = explained(pair, laravel(source, "INSERT INTO t (id, who) VALUES (2, 'an import')"))
    assert "ids-from-two-sides" in codes(found)
    assert "same-insert-again" not in codes(found)
    assert "counter-behind" not in codes(found)


def test_what_the_statement_shows_by_itself(pair: Lab, source: Session) -> None:
    source.execute("CREATE TABLE jobs (id INT PRIMARY KEY DEFAULT 0, q VARCHAR(9))")
    source.execute("INSERT INTO jobs (q) VALUES ('a')")
    found = explained(pair, laravel(source, "INSERT INTO jobs (q) VALUES ('b')"))
    assert (codes(found)[0], found["reasons"][0]["confidence"]) == ("no-value-given", "high")

    source.execute("CREATE TABLE steps (id INT PRIMARY KEY)")
    source.execute("INSERT INTO steps VALUES (1), (2), (3)")
    shift = "UPDATE steps SET id = id + 1"
    found = explained(pair, laravel(source, shift))
    assert codes(found)[0] == "update-shifts-keys"
    assert "ORDER BY id DESC" in found["reasons"][0]["fixes"][0]["text"]
    source.execute(f"{shift} ORDER BY id DESC")

    source.execute(
        "CREATE TABLE acc (id INT AUTO_INCREMENT PRIMARY KEY, email VARCHAR(30) UNIQUE, login VARCHAR(9) UNIQUE)"
    )
    source.execute("INSERT INTO acc (email, login) VALUES ('a@example.org', 'ann'), ('b@example.org', 'bob')")
    upsert = (
        "INSERT INTO acc (email, login) VALUES ('a@example.org', 'bob') ON DUPLICATE KEY UPDATE login = VALUES(login)"
    )
    assert codes(explained(pair, laravel(source, upsert)))[0] == "upsert-second-key"

    source.execute("CREATE TABLE entries (ref VARCHAR(9) PRIMARY KEY)")
    source.execute("CREATE TABLE ord (ref VARCHAR(9))")
    source.execute("CREATE TRIGGER t AFTER INSERT ON ord FOR EACH ROW INSERT INTO entries VALUES (NEW.ref)")
    source.execute("INSERT INTO ord VALUES ('R1')")
    found = explained(pair, laravel(source, "INSERT INTO ord (ref) VALUES ('R1')"))
    assert codes(found)[0] == "other-table-written"
    assert [place["table"] for place in found["places"]] == ["entries"]
    assert [row["ref"] for row in rows(found)] == ["R1"]
    for statement in found["reasons"][0]["fixes"][0]["sql"]:
        assert source.query(statement)


def test_a_character_that_the_message_does_not_have(pair: Lab, source: Session) -> None:
    source.execute("CREATE TABLE em (id INT PRIMARY KEY, w VARCHAR(20) COLLATE utf8mb4_0900_ai_ci UNIQUE)")
    source.execute("INSERT INTO em VALUES (1, 'Hi 🎉'), (2, 'Ho 🎉')")
    statement = "INSERT INTO em (id, w) VALUES (3, 'Hi 🎉')"
    text = refused(source, statement)
    assert "'Hi ?'" in text
    found = explained(pair, text)
    assert [row["id"] for row in rows(found)] == [1]
    assert not {"no-row-now", "equal-by-collation"} & set(codes(found))
    assert [row["id"] for row in rows(explained(pair, laravel(source, statement)))] == [1]


@pytest.mark.parametrize(("held", "new"), [("José", "JOSE"), ("straße", "strasse"), ("Anna", "anna")])
def test_equal_by_collation(pair: Lab, source: Session, held: str, new: str) -> None:
    source.execute("CREATE TABLE people (id INT PRIMARY KEY, name VARCHAR(30) NOT NULL UNIQUE)")
    source.execute(f"INSERT INTO people VALUES (1, '{held}')")
    found = explained(pair, refused(source, f"INSERT INTO people VALUES (2, '{new}')"))
    assert codes(found)[0] == "equal-by-collation"
    assert [row["name"] for row in rows(found)] == [held]
    for statement in found["reasons"][0]["fixes"][1]["sql"]:
        source.execute(statement)
    source.execute(f"INSERT INTO people VALUES (2, '{new}')")


def test_padding_is_named(pair: Lab, source: Session) -> None:
    source.execute("CREATE TABLE p (name VARCHAR(30) COLLATE utf8mb4_general_ci UNIQUE)")
    source.execute("INSERT INTO p VALUES ('x')")
    found = explained(pair, refused(source, "INSERT INTO p VALUES ('x  ')"))
    assert codes(found)[0] == "equal-by-collation"
    assert "trailing spaces" in found["reasons"][0]["evidence"][0]


def test_a_prefix_key(pair: Lab, source: Session) -> None:
    source.execute("CREATE TABLE urls (id INT PRIMARY KEY, url VARCHAR(200), UNIQUE KEY u (url(10)))")
    source.execute("INSERT INTO urls VALUES (1, 'https://a.example/one')")
    found = explained(pair, refused(source, "INSERT INTO urls VALUES (2, 'https://a.example/two')"))
    assert codes(found)[0] == "prefix-key"
    assert found["places"][0]["parts"][0]["prefix"] == 10
    for statement in found["reasons"][0]["fixes"][0]["sql"]:
        source.execute(statement)
    source.execute("INSERT INTO urls VALUES (2, 'https://a.example/two')")


def test_a_composite_value_is_taken_apart_by_the_server(pair: Lab, source: Session) -> None:
    source.execute("CREATE TABLE c (a VARCHAR(10), b VARCHAR(10), n INT, UNIQUE KEY k (a, b))")
    source.execute("INSERT INTO c VALUES ('x-y', 'z', 1), ('q', 'r', 2)")
    found = explained(pair, refused(source, "INSERT INTO c VALUES ('x-y', 'z', 3)"))
    answers = {tuple(r["values"]): r["answer"] for r in found["places"][0]["readings"]}
    assert answers == {("x", "y-z"): "no_row", ("x-y", "z"): "found"}
    assert "composite-key" in codes(found)
    # Types rule readings out: a date holds dashes, too.
    source.execute("CREATE TABLE days (shop INT, day DATE, PRIMARY KEY (shop, day))")
    source.execute("INSERT INTO days VALUES (-3, '2026-01-02')")
    found = explained(pair, refused(source, "INSERT INTO days VALUES (-3, '2026-01-02')"))
    possible = [r for r in found["places"][0]["readings"] if r["answer"] != "impossible"]
    assert [(r["values"], r["answer"]) for r in possible] == [(["-3", "2026-01-02"], "found")]


def test_a_key_over_an_expression(pair: Lab, source: Session) -> None:
    source.execute("CREATE TABLE e (id INT PRIMARY KEY, mail VARCHAR(50), UNIQUE KEY k ((lower(mail))))")
    source.execute("INSERT INTO e VALUES (1, 'Ann@Example.org')")
    found = explained(pair, refused(source, "INSERT INTO e VALUES (2, 'ANN@example.ORG')"))
    assert "expression-key" in codes(found)
    assert [row["mail"] for row in rows(found)] == ["Ann@Example.org"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("BINARY(16)", "unhex('11EE00FF22334455667788994142430A')"),
        ("BIT(12)", "b'10101'"),
        ("FLOAT", "1.1"),
        ("DOUBLE", "2.5e100"),
        ("DECIMAL(12,3)", "-17.25"),
        ("DATETIME(6)", "'2026-01-01 10:00:00.1'"),
        ("TIME(3)", "'-11:12:13.5'"),
        ("YEAR", "2026"),
        ("ENUM('x','y z')", "'y z'"),
        ("SET('q','r')", "'q,r'"),
        ("VARCHAR(300)", "repeat('é', 80)"),
        ("VARCHAR(100)", "'x'' for key ''c.zz'"),
        ("VARCHAR(100)", "'two\\nlines\\t\\\\'"),
        ("VARCHAR(20) CHARACTER SET latin1", "'Bjö'"),
        ("BIGINT UNSIGNED", "18446744073709551615"),
    ],
)
def test_a_printed_value_of_every_type_finds_its_row(pair: Lab, source: Session, column: str, value: str) -> None:
    source.execute(f"CREATE TABLE c (v {column} UNIQUE, n INT)")
    source.execute(f"INSERT INTO c VALUES ({value}, 7)")
    found = explained(pair, refused(source, f"INSERT INTO c VALUES ({value}, 8)"))
    assert [row["n"] for row in rows(found)] == [7], found["unknowns"]


def test_names_with_dots_quotes_and_backquotes_are_resolved(pair: Lab, source: Session) -> None:
    source.execute("CREATE TABLE `we``ird-ta.ble` (a INT, UNIQUE KEY `it's u.q k` (a))")
    source.execute("INSERT INTO `we``ird-ta.ble` VALUES (4)")
    found = explained(pair, refused(source, "INSERT INTO `we``ird-ta.ble` VALUES (4)"))
    place = found["places"][0]
    assert (place["table"], place["key"]) == ("we`ird-ta.ble", "it's u.q k")
    assert rows(found) == [{"a": 4}]


def test_the_key_of_an_older_server_needs_its_table(pair: Lab, source: Session) -> None:
    for n in range(12):
        source.execute(f"CREATE TABLE t{n} (id INT PRIMARY KEY)")
    source.execute("INSERT INTO t7 VALUES (1)")
    text = "ERROR 1062 (23000): Duplicate entry '1' for key 'PRIMARY'"
    found = explained(pair, text)
    assert found["places"] == []
    assert any("--table" in unknown for unknown in found["unknowns"])
    named = explained(pair, text, "--table", "d.t7")
    assert [place["table"] for place in named["places"]] == ["t7"]
    assert rows(named) == [{"id": 1}]


def test_of_the_same_table_in_several_schemas_the_one_with_the_row_is_meant(pair: Lab, source: Session) -> None:
    for schema in ("d", "other"):
        source.execute(f"CREATE DATABASE IF NOT EXISTS {schema}")
        source.execute(f"CREATE TABLE {schema}.t (id INT AUTO_INCREMENT PRIMARY KEY)")
    source.execute("INSERT INTO other.t VALUES (3)")
    found = explained(pair, refused(source, "INSERT INTO other.t VALUES (3)"))
    assert {place["schema"]: len(place["readings"][0]["rows"]) for place in found["places"]} == {"d": 0, "other": 1}
    assert "no-row-now" not in codes(found)


def test_a_row_that_is_gone(pair: Lab, source: Session) -> None:
    source.execute("CREATE TABLE t (id INT PRIMARY KEY)")
    source.execute("INSERT INTO t VALUES (5)")
    text = refused(source, "INSERT INTO t VALUES (5)")
    source.execute("DELETE FROM t")
    assert codes(explained(pair, text)) == ["no-row-now"]


def test_a_statement_that_repeats_itself(pair: Lab, source: Session) -> None:
    source.execute("CREATE TABLE t (name VARCHAR(10) PRIMARY KEY, n INT)")
    found = explained(pair, laravel(source, "INSERT INTO t (name, n) VALUES ('a', 1), ('b', 2), ('A', 3)"))
    assert codes(found)[0] == "repeated-in-statement"


def test_a_unique_key_that_cannot_be_added(pair: Lab, source: Session) -> None:
    source.execute("CREATE TABLE t (a INT, b INT)")
    source.execute("INSERT INTO t VALUES (1, 2), (1, 2), (3, 4)")
    found = explained(pair, laravel(source, "ALTER TABLE d.t ADD UNIQUE KEY ab (a, b)"))
    assert codes(found)[0] == "adding-unique-key"
    query = found["reasons"][0]["fixes"][0]["sql"][0]
    assert source.rows(query) == [("1", "2", "2")]


def test_what_stopped_a_replica(pair: Lab) -> None:
    from replfix.lab import scenarios

    scenarios.find("duplicate-primary").stage(pair)
    with pair.replica.session() as session:
        said = ""
        while not said:
            told = session.rows(
                "SELECT LAST_ERROR_MESSAGE FROM performance_schema.replication_applier_status_by_worker WHERE LAST_ERROR_NUMBER"
            )
            said = told[0][0] if told else ""
    ran = replfix("explain", said, "--replica", pair.replica.url(), "--json")
    found = ran.document["explanations"][0]
    assert codes(found)[0] == "replica-conflict"
    assert found["gtid"]
    assert len(rows(found)) == 1
    assert ran.document["server"]["replicates"] is True


def test_nothing_recognised(pair: Lab) -> None:
    ran = replfix(
        "explain", "ERROR 1064 (42000): You have an error in your SQL syntax", "--replica", "mysql://nobody@127.0.0.1:1"
    )
    assert ran.code == 2
    assert "1062" in ran.err
    assert "23505" in ran.err


def test_hostile_text_reaches_neither_terminal_nor_server(pair: Lab, source: Session) -> None:
    source.execute("CREATE TABLE t (name VARCHAR(60) PRIMARY KEY)")
    source.execute("INSERT INTO t VALUES ('x')")
    text = "Duplicate entry '\x1b[31m'; DROP TABLE t; -- \u202e[/b]' for key 't.PRIMARY'"
    ran = replfix("explain", "-", "--replica", pair.source.url(), stdin=text)
    assert ran.code == 0
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out
    assert "[/b]" in ran.out
    assert source.rows("SELECT name FROM t") == [("x",)]
    assert replfix("explain", "-", "--json", stdin=text).document["explanations"][0]["value"].startswith("\x1b")


def test_a_log_is_counted_and_its_largest_group_explained(pair: Lab, source: Session, tmp_path: Path) -> None:
    source.execute("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, who VARCHAR(20))")
    source.execute("INSERT INTO t VALUES (1, 'x'), (2, 'x'), (3, 'x'), (4, 'x'), (5, 'x')")
    log = tmp_path / "app.log"
    said = [refused(source, f"INSERT INTO t VALUES ({n}, 'import')") for n in (1, 2, 3, 4, 5)]
    log.write_text("".join(f"2026-11-20 10:00:0{n} {text}\n" for n, text in enumerate(said)))
    ran = replfix("explain", "--file", str(log), "--replica", pair.source.url(), "--json")
    assert ran.code == 0
    group = ran.document["surge"]["groups"][0]
    assert (group["key"], group["count"], group["shape"]) == ("t.PRIMARY", 5, "increasing")
    assert rows(ran.document["explanations"][0]) == [{"id": 5, "who": "x"}]
