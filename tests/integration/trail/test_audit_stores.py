"""Trails that a team shares: the same promises on MySQL, MariaDB and PostgreSQL as in a file."""

from __future__ import annotations

import json
import multiprocessing
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from replfix.audit import SqlTrail
from replfix.audit.anchors import AnchorTable
from replfix.audit.jsonl import from_line, to_line
from replfix.audit.keys import Keys
from replfix.audit.stores.choose_store import NO_ACCOUNT, store_of
from replfix.core.connection.endpoint import Account, Secret
from replfix.core.connection.tls import NO_TLS_OPTIONS
from replfix.core.trail.audit_record import Breakage, RecordKind, verify_chain
from replfix.errors import AuditError
from replfix.lab.flavours import speaking
from replfix.lab.lab_accounts import ADMIN
from replfix.lab.topology import Lab
from tests.conftest import POSTGRESQL, Labs, by_server
from tests.integration.running import replfix


@dataclass(frozen=True)
class Database:
    url: str
    driver: str
    drop_triggers: tuple[str, ...]
    drop_signature_triggers: tuple[str, ...]

    def run(self, *statements: str) -> None:
        parsed = make_url(self.url)
        engine = create_engine(parsed.set(drivername=self.driver), poolclass=NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def tamper(self, *statements: str) -> None:
        """As somebody does who takes the triggers out first."""
        self.run(*self.drop_triggers, *statements)


MYSQL_TRIGGERS = ("record_no_update", "record_no_delete", "record_in_order", "head_no_delete", "head_forward",
                  "start_no_delete", "start_forward")  # fmt: skip
MYSQL_SIGNATURE_TRIGGERS = ("signature_no_update", "signature_no_delete")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "place" in metafunc.fixturenames:
        metafunc.parametrize("place", [*by_server(metafunc.config), POSTGRESQL], indirect=True, scope="module")


@pytest.fixture(scope="module")
def place(request: pytest.FixtureRequest, labs: Labs) -> str | Lab:
    """PostgreSQL, or the lab whose source is to hold the trail."""
    if request.param == "postgresql":
        return "postgresql"
    lab = labs(request.param)
    lab.reset()
    return lab


@pytest.fixture
def database(place: str | Lab, request: pytest.FixtureRequest) -> Database:
    """Empty."""
    if isinstance(place, Lab):
        with place.source.session() as session:
            scheme = speaking(session).product.lower()
            session.execute("DROP DATABASE IF EXISTS audit")
            session.execute("CREATE DATABASE audit")
        url = f"{scheme}://{ADMIN.name}:{ADMIN.password}@127.0.0.1:{place.source.port}/audit"
        named = ((f"DROP TRIGGER audit_{n}" for n in names) for names in (MYSQL_TRIGGERS, MYSQL_SIGNATURE_TRIGGERS))
        return Database(url, f"{scheme}+pymysql", *map(tuple, named))
    made = Database(
        request.getfixturevalue("postgresql"),
        "postgresql+psycopg",
        (
            "ALTER TABLE audit_record DISABLE TRIGGER USER",
            "ALTER TABLE audit_head DISABLE TRIGGER USER",
            "ALTER TABLE audit_start DISABLE TRIGGER USER",
        ),
        ("ALTER TABLE audit_signature DISABLE TRIGGER USER",),
    )
    made.run("DROP TABLE IF EXISTS audit_record, audit_head, audit_start, audit_format, audit_signature")
    return made


@pytest.fixture
def trail(database: Database) -> Iterator[SqlTrail]:
    with closing(SqlTrail.open(database.url, author="dba@here")) as opened:
        yield opened


def fill(trail: SqlTrail, count: int, **fields: str) -> list[str]:
    where = {"incident": "i-1", "replica": "r-1", "channel": "", **fields}
    return [trail.append(RecordKind.INTENT, payload={"n": n, "é": "\0😀"}, **where).id for n in range(count)]


def test_an_empty_trail_is_read_without_making_anything(trail: SqlTrail, database: Database) -> None:
    assert list(trail.records()) == []
    assert trail.verify().whole
    trail.check_writable()
    with pytest.raises(DBAPIError):
        database.run("SELECT * FROM audit_record")


def test_what_was_appended_comes_back_and_is_whole(trail: SqlTrail) -> None:
    ids = fill(trail, 5)
    assert [record.id for record in trail.records()] == ids
    assert [record.id for record in trail.records(newest_first=True, limit=2)] == ids[:2:-1]
    assert trail.get(ids[2][:6]).content == {"n": 2, "é": "\0😀"}
    assert [r.id for r in trail.records(incident="I-1")] == []  # byte by byte, as in the other databases
    found = trail.verify()
    assert (found.whole, found.records, found.head.id) == (True, 5, ids[-1])
    trail.append(RecordKind.SETTINGS, incident="i-2", replica="r", channel="", payload={"v": 1})
    assert [record.incident for record in trail.open_settings()] == ["i-2"]
    trail.check_writable()
    assert trail.verify().records == 6
    assert trail.path is None


def test_the_database_itself_refuses_changes(trail: SqlTrail, database: Database) -> None:
    fill(trail, 2)
    for statement in (
        "UPDATE audit_record SET payload = '{}' WHERE seq = 1",
        "DELETE FROM audit_record WHERE seq = 1",
        "UPDATE audit_head SET seq = 1",
        "DELETE FROM audit_head",
    ):
        with pytest.raises(DBAPIError, match="append-only"):
            database.run(statement)


@pytest.mark.parametrize(
    ("statements", "kind", "seq"),
    [
        (["UPDATE audit_record SET payload = '{\"n\":7}' WHERE seq = 2"], Breakage.CHANGED, 2),
        (["UPDATE audit_record SET author = 'Somebody@else' WHERE seq = 3"], Breakage.CHANGED, 3),
        (["DELETE FROM audit_record WHERE seq = 2"], Breakage.REMOVED, 2),
        (["DELETE FROM audit_record WHERE seq = 4"], Breakage.REMOVED, 4),
    ],
)
def test_verify_names_what_was_done(
    trail: SqlTrail, database: Database, statements: list[str], kind: Breakage, seq: int
) -> None:
    fill(trail, 4)
    database.tamper(*statements)
    found = trail.verify()
    assert found.first is not None
    assert (found.first.kind, found.first.seq) == (kind, seq)


def test_nothing_is_added_to_a_trail_without_its_head(trail: SqlTrail, database: Database) -> None:
    fill(trail, 2)
    database.tamper("DELETE FROM audit_head")
    with pytest.raises(AuditError, match="lost its head"):
        fill(trail, 1)


def test_records_are_signed_and_those_of_before_stay(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("6b" * 32)
    file.chmod(0o600)
    keys = Keys(file=file)
    with closing(SqlTrail.open(database.url)) as unsigned, closing(SqlTrail.open(database.url, keys=keys)) as trail:
        fill(unsigned, 2)
        assert (trail.verify().whole, trail.verify().signed) == (True, 0)
        fill(trail, 3)
        found = trail.verify()
        assert (found.whole, found.records, found.signed, found.checked) == (True, 5, 3, True)
        assert [bool(record.signature) for record in trail.records()] == [False, False, True, True, True]
        assert verify_chain([from_line(to_line(r)) for r in trail.records()], seals=keys.ring).whole
        with pytest.raises(AuditError, match="no key is configured"):
            fill(unsigned, 1)
        for statement in ("UPDATE audit_signature SET signature = 'x'", "DELETE FROM audit_signature WHERE seq = 4"):
            with pytest.raises(DBAPIError, match="append-only"):
                database.run(statement)
        trail.prune(list(trail.records())[2], {})
        assert (trail.verify().whole, trail.verify().signed) == (True, 3)
        database.tamper(*database.drop_signature_triggers, "DELETE FROM audit_signature WHERE seq = 5")
        found = trail.verify()
        assert [(each.kind, each.seq) for each in found.breaks] == [(Breakage.UNSIGNED, 5)]


def test_a_table_keeps_heads(trail: SqlTrail, database: Database) -> None:
    database.run("DROP TABLE IF EXISTS audit_anchor")
    table = AnchorTable(database.url, NO_ACCOUNT, NO_TLS_OPTIONS)
    assert table.read() == ()
    fill(trail, 2)
    anchor = trail.anchor()
    assert anchor is not None
    for _ in range(2):
        table.add(anchor)
    assert table.read() == (anchor,)
    fill(trail, 1)
    assert trail.verify(table.read()).whole
    forged = replace(anchor, hash="f" * 64)
    table.add(forged)
    assert [(each.kind, each.seq) for each in trail.verify(table.read()).breaks] == [(Breakage.CHANGED, 2)]
    with closing(SqlTrail.open(database.url)) as other:
        assert other.named_outside == anchor.trail


def _append(url: str, writer: int, count: int) -> None:
    with closing(SqlTrail.open(url, author=f"writer-{writer}")) as trail:
        fill(trail, count, incident=f"i-{writer}")


def test_many_hosts_write_at_once_and_the_chain_is_unbroken(database: Database) -> None:
    """All of them find no tables at first."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    writers = [context.Process(target=_append, args=(database.url, n, 15)) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0] * 4
    with closing(SqlTrail.open(database.url)) as trail:
        found = trail.verify()
        assert (found.whole, found.records) == (True, 60)
        assert {record.author for record in trail.records()} == {f"writer-{n}" for n in range(4)}


def test_the_commands_export_it_and_verify_both(trail: SqlTrail, database: Database, tmp_path: Path) -> None:
    ids = fill(trail, 3)
    config, exported = tmp_path / "replfix.toml", tmp_path / "trail.jsonl"
    config.write_text(f"[audit]\nurl = {json.dumps(database.url)}\n", "utf-8")
    assert replfix("audit", "verify", "--json", "--config", str(config)).document["records"] == 3
    assert replfix("audit", "export", "--output", str(exported), "--config", str(config)).code == 0
    verified = replfix("audit", "verify", "--file", str(exported), "--head", ids[-1], "--json")
    assert (verified.code, verified.document["whole"]) == (0, True)


def test_whoever_waited_to_make_the_tables_finds_them(any_pair: Lab) -> None:
    """The first one has let go of the lock, and has not ended its transaction."""
    with any_pair.source.session() as session:
        session.execute("CREATE DATABASE audit")
    store = store_of(f"mysql://{ADMIN.name}:{ADMIN.password}@127.0.0.1:{any_pair.source.port}/audit")
    with store.engine.connect() as first, store.engine.connect() as second, first.begin():
        store.create_schema(first)
        store.create_schema(second)
        assert store.has_schema(second)


def unusable(url: str, account: Account = NO_ACCOUNT) -> AuditError:
    with closing(SqlTrail.open(url, account=account)) as trail:
        with pytest.raises(AuditError) as appending:
            fill(trail, 1)
        with pytest.raises(AuditError):
            trail.verify()
    assert appending.value.hint
    return appending.value


def changed(url: str, **parts: object) -> str:
    made: URL = make_url(url).set(**parts)  # type: ignore[arg-type]
    return made.render_as_string(hide_password=False)


WRONG: dict[str, tuple[Callable[[str], str], str]] = {
    "no such database": (lambda url: changed(url, database="nowhere"), "database that is not there|does not exist"),
    "nobody listens": (lambda url: changed(url, host="127.0.0.1", port=1, query={}), "cannot be reached"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_said(database: Database, wrong: str) -> None:
    change, match = WRONG[wrong]
    error = unusable(change(database.url))
    assert re.search(match, error.message)


def test_options_of_the_url_reach_postgresqls_own_client(postgresql: str) -> None:
    error = unusable(changed(postgresql, query={**make_url(postgresql).query, "sslmode": "nonsense"}))
    assert 'invalid sslmode value: "nonsense"' in error.message


def test_a_read_only_server_is_no_place_for_it(pair: Lab) -> None:
    with pair.source.session() as session:
        session.execute("CREATE DATABASE audit")
    pair.wait_until_applied()
    url = f"mysql://{ADMIN.name}:{ADMIN.password}@127.0.0.1:{pair.replica.port}/audit"
    with closing(SqlTrail.open(url)) as trail, pytest.raises(AuditError, match="read-only") as error:
        fill(trail, 1)
    assert "never a replica" in error.value.hint


def test_the_account_may_come_from_elsewhere(pair: Lab) -> None:
    with pair.source.session() as session:
        session.execute("CREATE DATABASE audit")
    url = f"mysql://127.0.0.1:{pair.source.port}/audit"
    with closing(SqlTrail.open(url, account=Account(ADMIN.name, Secret(ADMIN.password)))) as trail:
        fill(trail, 1)
        assert trail.name == url
    wrong = unusable(f"mysql://{ADMIN.name}:{quote('no/pass')}@127.0.0.1:{pair.source.port}/audit")
    assert "rejected the login" in wrong.message
    assert "no/pass" not in str(wrong)


def test_old_stories_go_and_the_rest_stays_whole(trail: SqlTrail, database: Database) -> None:
    moments = iter(datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 29))
    with closing(SqlTrail.open(database.url, clock=lambda: next(moments))) as dated:
        for incident, kinds in [("a", "intent outcome"), ("b", "intent"), ("c", "refused"), ("b", "outcome")]:
            for kind in kinds.split():
                dated.append(RecordKind(kind), incident=incident, replica="r", channel="", payload={})
        fill(dated, 1, incident="open")
        # b's story is not cut in two, and what has no outcome stays with all that follows.
        assert dated.prunable(datetime(2026, 1, 4, tzinfo=UTC)).seq == 2  # type: ignore[union-attr]
        last = dated.prunable(datetime(2026, 3, 1, tzinfo=UTC))
        assert last is not None
        assert last.seq == 5
        with pytest.raises(DBAPIError, match="append-only"):
            database.run("UPDATE audit_start SET seq = 3")
        dated.prune(last, {"records": 5})
    assert [(r.seq, r.kind) for r in trail.records()] == [(6, "intent"), (7, "pruned")]
    found = trail.verify()
    assert (found.whole, found.records, found.head.seq) == (True, 2, 7)
    with pytest.raises(DBAPIError, match="append-only"):
        database.run("DELETE FROM audit_record WHERE seq = 6")
    fill(trail, 1)
    assert verify_chain(trail.records()).whole  # as an export of it is judged, which knows nothing else
    database.tamper("DELETE FROM audit_record WHERE seq = 6")
    assert trail.verify().first is not None


def test_records_that_were_cut_off_at_the_beginning_were_not_pruned(trail: SqlTrail, database: Database) -> None:
    ids = fill(trail, 3)
    second = trail.get(ids[1])
    database.tamper(
        f"UPDATE audit_start SET seq = 2, hash = '{second.hash}'", "DELETE FROM audit_record WHERE seq <= 2"
    )
    found = trail.verify()
    assert found.first is not None
    assert (found.first.kind, found.first.seq) == (Breakage.REMOVED, 1)
