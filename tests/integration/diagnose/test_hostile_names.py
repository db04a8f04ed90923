"""Names and rows that try to be SQL, markup, terminal sequences, log lines or JSON, on real servers, through every face."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from markdown_it import MarkdownIt

from replfix.config import load
from replfix.core.connection.endpoint import Secret
from replfix.core.sql import identifier, string
from replfix.lab.flavours import speaking
from replfix.lab.replicate import wait_until_stopped
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from replfix.present.report import incident_report
from replfix.tui.backend import WiredBackend
from tests.integration.running import Ran, replfix

OBEYED = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
EVIL = "`'\"\\[/b]\x1b[31m\u202e\x9b|<b>%s"
"""In every name, with a line of its own at its end that must never begin one."""


def evil(what: str) -> str:
    return f"{what}{EVIL}\nowned {what}"


SCHEMA, TABLE, COLUMN, KEY, USER = (evil(what) for what in "stcku")
VALUE = evil("v") + "\r\n| x |\n# owned v\n```\n</code>\u2028\x00;-- */ \U0001f600"


def as_text(ran: Ran, code: int) -> str:
    """Nothing that a terminal obeys, and no line that a name or a value has begun."""
    assert ran.code == code, ran
    said = ran.out + ran.err
    assert not [c for c in said if c != "\n" and unicodedata.category(c) in OBEYED], said
    assert not re.search(r"^owned", said, re.MULTILINE), said
    return said


def as_json(ran: Ran, code: int) -> dict[str, Any]:
    assert ran.code == code, ran
    assert not [c for c in ran.out if c != "\n" and unicodedata.category(c) in OBEYED]
    document: dict[str, Any] = json.loads(ran.out)
    return document


@pytest.fixture
def hostile(any_pair: Lab) -> Iterator[Lab]:
    """Stopped by a row that an account with such a name wrote on the replica; its transaction is errant too."""
    schema, table, column = identifier(SCHEMA), identifier(TABLE), identifier(COLUMN)
    (any_pair.directory / "audit.db").unlink(missing_ok=True)
    with any_pair.source.session() as source:
        source.execute(f"CREATE DATABASE {schema}")
        source.execute(
            f"CREATE TABLE {schema}.{table} (id INT PRIMARY KEY, {column} VARCHAR(200) NOT NULL, "
            f"UNIQUE KEY {identifier(KEY)} ({column})) CHARACTER SET utf8mb4"
        )
    any_pair.wait_until_applied()
    with any_pair.replica.session() as admin, speaking(admin).writable(admin):
        admin.execute("SET sql_log_bin = 0")
        admin.execute(f"CREATE USER {identifier(USER)}@'127.0.0.1' IDENTIFIED BY 'pw'")
        admin.execute(f"GRANT ALL ON *.* TO {identifier(USER)}@'127.0.0.1'")
        writer = Session(replace(any_pair.replica.endpoint(), user=USER, password=Secret("pw")))
        writer.execute(f"INSERT INTO {schema}.{table} VALUES (1, {string(VALUE)})")
    with any_pair.source.session() as source:
        source.execute(f"INSERT INTO {schema}.{table} VALUES (2, {string(VALUE)})")
    wait_until_stopped(any_pair.replica)
    with writer:  # still there, to be named
        yield any_pair


def test_through_every_face(hostile: Lab) -> None:
    where = ("--config", str(hostile.config_file))
    message = as_json(replfix("diagnose", *where, "--json"), 3)
    (conflict,) = message["conflicts"]
    assert (conflict["schema"], conflict["table"]) == (SCHEMA, TABLE)
    assert (conflict["key_columns"], conflict["incoming"]) == ([COLUMN], {"id": 2, COLUMN: VALUE})
    errant = message["errant"]["transactions"][0]["changes"][0]
    assert (errant["schema"], errant["table"], errant["after"]) == (SCHEMA, TABLE, {"id": 1, COLUMN: VALUE})
    as_text(replfix("status", *where), 3)
    as_json(replfix("status", *where, "--json"), 3)
    said = as_text(replfix("diagnose", *where, "--verbose"), 3)
    assert "\\x1b[31m\\u202e\\x9b|<b>%s" in said
    written = message["errant"]["transactions"][0]
    if ":" in written["gtid"]:  # MariaDB does not tell who a connection is
        assert f"which is open now as {USER}@127.0.0.1" in written["origin"]
    told = f"ERROR 1062 (23000): Duplicate entry 'x{EVIL}' for key 't{EVIL}.k{EVIL}'"
    as_text(replfix("explain", told, "--replica", hostile.replica.url()), 0)
    as_text(replfix("doctor", *where), 0)
    config = load(str(hostile.config_file))
    backend = WiredBackend(config, config.targets(), lambda _: None)
    try:
        found = backend.investigate("replica1", None, lambda _: None)
    finally:
        backend.close()
    assert found is not None
    report = incident_report("replica1", found)
    assert not [c for c in report if c != "\n" and unicodedata.category(c) in OBEYED]
    tokens = [part for token in MarkdownIt().enable("table").parse(report) for part in (token, *(token.children or ()))]
    assert {t.content for t in tokens if t.type.startswith("html")} <= {"<code>", "</code>", "<!-- -->"}
    assert not [t for t in tokens if t.type == "inline" and t.content.startswith(("owned", "# owned"))]
    assert not [t for t in tokens if t.type == "link_open"]

    as_text(replfix("resolve", *where, "--dry-run", "--verbose"), 3)
    resolved = as_json(replfix("resolve", *where, "--yes", "--verbose", "--json"), 0)
    intent, *_ = resolved["audit_ids"]
    for command in (("list",), ("show", intent), ("verify",)):
        as_text(replfix("audit", *command, *where), 0)
        as_json(replfix("audit", *command, *where, "--json"), 0)
    exported = replfix("audit", "export", *where).out.rstrip("\n")
    assert all(json.loads(line) for line in exported.split("\n"))
    as_text(replfix("undo", intent, *where, "--dry-run"), 4)
    schema, table, column = identifier(SCHEMA), identifier(TABLE), identifier(COLUMN)
    for server in (hostile.source, hostile.replica):
        with server.session() as session:
            assert rows(session, f"SELECT id, {column} FROM {schema}.{table}") == [("2", VALUE)]


def rows(session: Session, query: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in session.rows(query)]
