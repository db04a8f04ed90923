"""The trail against a real SQLite file: durable, append-only, private, shared, and clear about what is wrong with it."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from replfix.audit import SqlTrail
from replfix.audit.stores import sqlite_file
from replfix.core.trail.audit_record import GENESIS, Breakage, RecordKind
from replfix.errors import AuditError, ConfigError, UsageError

Tamper = Callable[..., None]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "replfix" / "audit.db"


@pytest.fixture
def trail(path: Path) -> Iterator[SqlTrail]:
    with closing(SqlTrail.open(f"sqlite:///{path}", author="dba@here")) as opened:
        yield opened


def file_of(trail: SqlTrail) -> Path:
    assert trail.path is not None
    return trail.path


def fill(trail: SqlTrail, count: int, **fields: str) -> list[str]:
    where = {"incident": "i-1", "replica": "r-1", "channel": "", **fields}
    return [trail.append(RecordKind.INTENT, payload={"n": n}, **where).id for n in range(count)]


def tampered(path: Path, *statements: str) -> None:
    """Run SQL on the trail as somebody does who takes the triggers out first."""
    with closing(sqlite3.connect(path)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


@pytest.fixture
def tamper(path: Path) -> Tamper:
    return partial(tampered, path)


NOBODY = 65534


@pytest.fixture
def shared() -> Iterator[Path]:
    """A directory that another account can reach; pytest's own are private."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o1777)
        yield directory
        directory.chmod(0o700)


@contextmanager
def reset_gtid_next() -> Iterator[None]:
    """File permissions mean nothing to root: give the account up for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


# -- what is written --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("of", "mode"), [("file", 0o666), ("directory", 0o777)])
def test_nothing_is_added_to_a_trail_that_others_may_write_to(tmp_path: Path, of: str, mode: int) -> None:
    directory = tmp_path / "theirs"
    directory.mkdir()
    file = directory / "audit.db"
    file.touch(0o600)  # made beforehand, by whomever
    (file if of == "file" else directory).chmod(mode)
    trail = SqlTrail.open(f"sqlite:///{file}")
    for use in (trail.check_writable, lambda: fill(trail, 1)):
        with pytest.raises(AuditError, match=r"is not only ours\. .* can be written to by others") as refused:
            use()
        assert "chmod go-w" in refused.value.hint
    assert file.read_bytes() == b""


def test_a_record_says_when_who_where_and_is_chained(path: Path) -> None:
    moment = datetime(2026, 3, 1, 13, 30, 0, 42, tzinfo=UTC)
    trail = SqlTrail.open(f"sqlite:///{path}", clock=lambda: moment, author="dba@here")
    first = trail.append(RecordKind.INTENT, incident="i", replica="r", channel="c", payload={"b": "ü", "a": [1, None]})
    second = trail.append(RecordKind.OUTCOME, incident="i", replica="r", channel="c", payload={})
    assert (first.seq, first.recorded_at, first.author) == (1, "2026-03-01T13:30:00.000042Z", "dba@here")
    assert first.payload == '{"a":[1,null],"b":"ü"}'
    assert first.content == {"a": [1, None], "b": "ü"}
    assert first.previous_hash == GENESIS
    assert second.previous_hash == first.hash
    assert list(trail.records()) == [first, second]


def test_times_of_other_zones_are_recorded_in_utc_and_naive_ones_not_at_all(path: Path) -> None:
    from datetime import timezone

    times = iter([datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=2))), datetime(2026, 3, 1)])  # noqa: DTZ001
    trail = SqlTrail.open(f"sqlite:///{path}", clock=lambda: next(times))
    record = trail.append(RecordKind.INTENT, incident="i", replica="r", channel="", payload={})
    assert record.recorded_at == "2026-02-28T23:00:00.000000Z"
    with pytest.raises(ValueError, match="time zone"):
        trail.append(RecordKind.INTENT, incident="i", replica="r", channel="", payload={})
    assert len(list(trail.records())) == 1


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ({"x": float("nan")}, ValueError),
        ({"x": [float("inf")]}, ValueError),
        ({"x": b"bytes"}, TypeError),
        ({"x": {1: "key"}}, TypeError),
        ({"x": {"deep": object()}}, TypeError),
        ({"x": "\ud800"}, ValueError),
        ({"\udfff": 1}, ValueError),
    ],
)
def test_what_json_cannot_carry_is_refused_and_nothing_is_written(
    trail: SqlTrail, payload: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        trail.append(RecordKind.INTENT, incident="i", replica="r", channel="", payload=payload)
    assert not file_of(trail).exists()


def test_a_nest_too_deep_is_refused(trail: SqlTrail) -> None:
    nest: list[object] = []
    for _ in range(100_000):
        nest = [nest]
    with pytest.raises(ValueError, match="deep"):
        trail.append(RecordKind.INTENT, incident="i", replica="r", channel="", payload={"x": nest})


def test_a_large_payload(trail: SqlTrail) -> None:
    rows = {"rows": ["x" * 1000 for _ in range(20_000)]}
    record = trail.append(RecordKind.INTENT, incident="i", replica="r", channel="", payload=rows)
    fill(trail, 2)
    assert trail.get(record.id).content == rows
    assert [r.seq for r in trail.records()] == [1, 2, 3]
    assert trail.verify().whole


def test_hostile_text_comes_back_as_it_was(trail: SqlTrail) -> None:
    hostile = "\x00'\";--\x1b[31m[/b]\u202e\n\U0001f600"
    record = trail.append(
        RecordKind.REFUSED, incident=hostile, replica=hostile, channel=hostile, payload={"x": hostile}
    )
    assert list(trail.records(incident=hostile)) == [record]
    assert record.content == {"x": hostile}
    assert trail.verify().whole


# -- what is read ------------------------------------------------------------------------------------------------------


def test_reading_a_trail_that_does_not_exist_yet_makes_no_file(trail: SqlTrail, tmp_path: Path) -> None:
    assert list(trail.records()) == []
    assert trail.open_settings() == []
    assert trail.verify().whole
    with pytest.raises(UsageError):
        trail.get("abcd")
    assert list(tmp_path.iterdir()) == []


def test_records_are_selected_ordered_and_limited(trail: SqlTrail) -> None:
    fill(trail, 3, incident="a")
    fill(trail, 2, incident="b", replica="r-2")
    assert [r.seq for r in trail.records(incident="a")] == [1, 2, 3]
    assert [r.seq for r in trail.records(replica="r-2", newest_first=True)] == [5, 4]
    assert [r.seq for r in trail.records(limit=2)] == [1, 2]
    assert [r.seq for r in trail.records(limit=1, newest_first=True)] == [5]
    assert list(trail.records(limit=0)) == []
    assert list(trail.records(since=datetime.now(UTC) + timedelta(hours=1))) == []


def test_a_record_of_a_clock_that_is_behind_is_not_left_out(trail: SqlTrail, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written behind a record of that time was written since, whatever its host took the time for."""
    fill(trail, 2)
    now = datetime.now(UTC)
    monkeypatch.setattr("replfix.audit.trail._now", lambda: now - timedelta(days=3650))
    fill(trail, 1)
    assert [r.seq for r in trail.records(since=now - timedelta(hours=1))] == [1, 2, 3]
    assert [r.seq for r in trail.records(since=now - timedelta(hours=1), newest_first=True)] == [3, 2, 1]


def test_reading_goes_on_across_pages(trail: SqlTrail, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(trail, 7)
    monkeypatch.setattr("replfix.audit.trail.PAGE_BYTES", 1)
    assert [r.seq for r in trail.records()] == list(range(1, 8))
    assert [r.seq for r in trail.records(newest_first=True)] == list(range(7, 0, -1))
    assert [r.seq for r in trail.records(limit=3)] == [1, 2, 3]
    assert trail.verify().whole


def test_a_reader_that_lingers_does_not_hold_up_a_writer(trail: SqlTrail, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(trail, 3)
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.2)
    reader = trail.records()
    next(reader)
    fill(trail, 1)
    assert [r.seq for r in reader][-1] in (3, 4)


def test_a_record_is_found_by_the_beginning_of_its_id(trail: SqlTrail) -> None:
    (wanted,) = fill(trail, 1)
    fill(trail, 20)
    assert trail.get(wanted).id == wanted
    assert trail.get(wanted[:6].upper()).id == wanted
    assert trail.get(trail.get(wanted).hash).id == wanted
    for wrong in ("", "abc", "xyzw", "%%%%", wanted + "/", "0" * 65):
        with pytest.raises(UsageError, match="no record id"):
            trail.get(wrong)
    with pytest.raises(UsageError, match="No record"):
        trail.get("0" * 64)


def test_an_ambiguous_id_names_the_candidates(trail: SqlTrail, tamper: Tamper) -> None:
    fill(trail, 2)
    tamper("UPDATE audit_record SET hash = 'abcdef' || seq || substr(hash, 8)")
    with pytest.raises(UsageError, match=r"several records: abcdef1\w{5}, abcdef2\w{5}"):
        trail.get("abcdef")


def test_settings_stay_open_until_the_same_incident_restores_them(trail: SqlTrail) -> None:
    def add(kind: RecordKind, incident: str, replica: str = "r-1") -> int:
        return trail.append(kind, incident=incident, replica=replica, channel="", payload={"read_only": "1"}).seq

    add(RecordKind.SETTINGS, "a")
    opened = [add(RecordKind.SETTINGS, "b")]
    opened.append(add(RecordKind.SETTINGS, "c", "r-2"))
    add(RecordKind.SETTINGS_RESTORED, "a")
    opened.append(add(RecordKind.SETTINGS, "a"))  # changed again after it was restored
    add(RecordKind.SETTINGS_RESTORED, "b", "r-2")  # of another replica
    assert [record.seq for record in trail.open_settings()] == opened


def test_an_intent_stays_open_until_an_outcome_says_what_became_of_it(trail: SqlTrail) -> None:
    def add(kind: RecordKind, incident: str, **payload: str) -> int:
        return trail.append(kind, incident=incident, replica="r", channel="", payload=payload).seq

    add(RecordKind.INTENT, "a")
    add(RecordKind.OUTCOME, "a", result="applied and verified", detail='not "result":"unknown" at all')
    opened = [add(RecordKind.INTENT, "a"), add(RecordKind.INTENT, "b")]
    add(RecordKind.OUTCOME, "b", result="unknown", detail="lost during COMMIT")
    add(RecordKind.INTENT, "c")
    add(RecordKind.OUTCOME, "c", result="unknown")
    add(RecordKind.OUTCOME, "c", result="not applied")
    assert [record.seq for record in trail.open_intents()] == opened


# -- append-only -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_record SET payload = '{}'",
        "UPDATE audit_record SET seq = 9 WHERE seq = 1",
        "DELETE FROM audit_record WHERE seq = 2",
        "INSERT OR REPLACE INTO audit_record SELECT * FROM audit_record WHERE seq = 1",
        "UPDATE audit_head SET seq = 1",
        "DELETE FROM audit_head",
    ],
)
def test_the_database_itself_refuses_changes(trail: SqlTrail, statement: str) -> None:
    fill(trail, 2)
    with (
        closing(sqlite3.connect(file_of(trail))) as connection,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        connection.execute(statement)
    assert trail.verify().whole


@pytest.mark.parametrize(
    ("statements", "kind", "seq"),
    [
        (["UPDATE audit_record SET payload = '{\"n\":9}' WHERE seq = 3"], Breakage.CHANGED, 3),
        (["UPDATE audit_record SET author = 'x' WHERE seq = 5"], Breakage.CHANGED, 5),
        (["UPDATE audit_record SET hash = replace(hash, substr(hash, 1, 1), 'z') WHERE seq = 2"], Breakage.CHANGED, 2),
        (["UPDATE audit_record SET payload = x'80' WHERE seq = 2"], Breakage.ILLEGIBLE, 2),
        (["UPDATE audit_record SET author = CAST(x'80' AS TEXT) WHERE seq = 2"], Breakage.ILLEGIBLE, 2),
        (["DELETE FROM audit_record WHERE seq = 1"], Breakage.REMOVED, 1),
        (["DELETE FROM audit_record WHERE seq = 3"], Breakage.REMOVED, 3),
        (["DELETE FROM audit_record WHERE seq = 5"], Breakage.REMOVED, 5),
        (["DELETE FROM audit_record"], Breakage.REMOVED, 1),
        (["DELETE FROM audit_head"], Breakage.ADDED, 1),
        (
            [
                "UPDATE audit_record SET seq = 99 WHERE seq = 2",
                "UPDATE audit_record SET seq = 2 WHERE seq = 3",
                "UPDATE audit_record SET seq = 3 WHERE seq = 99",
            ],
            Breakage.REORDERED,
            2,
        ),
    ],
)
def test_tampering_is_found_and_named(
    trail: SqlTrail, tamper: Tamper, statements: list[str], kind: Breakage, seq: int
) -> None:
    fill(trail, 5)
    tamper(*statements)
    first = trail.verify().first
    assert first is not None
    assert (first.kind, first.seq) == (kind, seq)


def test_nothing_is_added_to_a_trail_that_was_cut_short(trail: SqlTrail, tamper: Tamper, path: Path) -> None:
    fill(trail, 3)
    with closing(sqlite3.connect(path)) as connection:
        triggers = [sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'")]
    tamper("DELETE FROM audit_record WHERE seq = 3", *triggers)
    with pytest.raises(AuditError, match="head") as error:
        fill(trail, 1)
    assert "audit verify" in error.value.hint


# -- private, and shared by processes ----------------------------------------------------------------------------------


def test_file_and_directories_are_for_their_owner_only(trail: SqlTrail, path: Path) -> None:
    before = os.umask(0)
    try:
        fill(trail, 1)
    finally:
        os.umask(before)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (path, path.parent, path.parent.parent)}
    assert modes == {"audit.db": 0o600, "replfix": 0o700, "state": 0o700}


def test_the_journal_is_for_its_owner_only(trail: SqlTrail, path: Path) -> None:
    before = os.umask(0)
    try:
        fill(trail, 1)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE something (x)")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO something VALUES (1)")
            journal = path.with_name("audit.db-journal")
            assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    finally:
        os.umask(before)


def _append_fifty(path: Path, name: str) -> None:
    with closing(SqlTrail.open(f"sqlite:///{path}")) as trail:
        fill(trail, 50, incident=name)


def test_four_processes_append_at_once_and_the_chain_is_unbroken(trail: SqlTrail, path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_append_fifty, args=(path, f"p{n}")) for n in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    verification = trail.verify()
    assert verification.whole
    assert verification.records == 200
    for n in range(4):
        numbers = [record.content["n"] for record in trail.records(incident=f"p{n}")]
        assert numbers == list(range(50))


# -- what can be wrong with the file -----------------------------------------------------------------------------------


def assert_unusable(trail: SqlTrail, match: str, *, reading: bool = True) -> None:
    with pytest.raises(AuditError, match=match) as error:
        fill(trail, 1)
    assert error.value.hint
    assert str(trail.path) in error.value.message
    if reading:
        for read in (lambda: list(trail.records()), trail.verify, lambda: trail.get("abcd")):
            with pytest.raises(AuditError, match=match):
                read()


def test_a_directory_in_its_place(trail: SqlTrail, path: Path) -> None:
    path.mkdir(parents=True)
    assert_unusable(trail, "is a directory")


def test_a_device_in_its_place() -> None:
    assert_unusable(SqlTrail.open("sqlite:////dev/full"), "no regular file")


def test_a_file_in_place_of_its_directory(trail: SqlTrail, path: Path) -> None:
    path.parent.parent.write_text("")
    assert_unusable(trail, "cannot be used", reading=False)
    assert list(trail.records()) == []


def test_a_file_that_is_no_database(trail: SqlTrail, path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("my notes, which are longer than the header of a database\n" * 10)
    before = path.read_bytes()
    assert_unusable(trail, "no SQLite database")
    assert path.read_bytes() == before


def test_a_database_of_another_program(trail: SqlTrail, path: Path) -> None:
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE audit_record (x)")
    before = path.read_bytes()
    assert_unusable(trail, "another program")
    assert path.read_bytes() == before


def test_a_trail_of_a_newer_replfix(trail: SqlTrail, path: Path) -> None:
    fill(trail, 1)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 7")
    assert_unusable(trail, "format 7")


def test_a_damaged_database(trail: SqlTrail, path: Path) -> None:
    fill(trail, 200)
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    assert_unusable(trail, "is damaged")


def test_a_database_cut_short(trail: SqlTrail, path: Path) -> None:
    fill(trail, 200)
    os.truncate(path, 8192)
    assert_unusable(trail, "is damaged")


def test_a_read_only_file_can_be_read_but_not_added_to(shared: Path) -> None:
    trail = SqlTrail.open(f"sqlite:///{shared / 'audit.db'}")
    fill(trail, 2)
    (shared / "audit.db").chmod(0o444)
    with reset_gtid_next():
        assert_unusable(trail, "is read-only", reading=False)
        assert len(list(trail.records())) == 2
        assert trail.verify().whole


def test_a_directory_that_is_not_writable(shared: Path) -> None:
    shared.chmod(0o555)
    with reset_gtid_next():
        trail = SqlTrail.open(f"sqlite:///{shared / 'audit.db'}")
        assert_unusable(trail, "Permission denied", reading=False)
        assert list(trail.records()) == []
        deeper = SqlTrail.open(f"sqlite:///{shared / 'more' / 'audit.db'}")
        assert_unusable(deeper, "Permission denied", reading=False)


def test_a_directory_that_may_not_be_entered(shared: Path) -> None:
    shared.chmod(0o000)
    with reset_gtid_next():
        trail = SqlTrail.open(f"sqlite:///{shared / 'audit.db'}")
        assert_unusable(trail, "Permission denied")


def test_a_database_that_stays_locked(trail: SqlTrail, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(trail, 1)
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert_unusable(trail, "is locked")
    assert len(fill(trail, 1)) == 1


def test_no_room_left(trail: SqlTrail) -> None:
    """The limit on file sizes stands for a full disk: the write fails, and what was there before is whole."""
    fill(trail, 2)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_of(trail).stat().st_size + 16 * 1024, hard))
    try:
        with pytest.raises(AuditError, match=r"cannot be read or written|cannot grow") as error:
            trail.append(RecordKind.INTENT, incident="i", replica="r", channel="", payload={"x": "y" * 1_000_000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "disk" in error.value.hint
    verification = trail.verify()
    assert (verification.whole, verification.records) == (True, 2)
    assert fill(trail, 1)


def test_whether_a_record_could_be_added_is_told_without_adding_one(
    trail: SqlTrail, path: Path, shared: Path, tmp_path: Path
) -> None:
    trail.check_writable()
    assert list(tmp_path.iterdir()) == []
    fill(trail, 1)
    before = path.read_bytes()
    trail.check_writable()
    assert path.read_bytes() == before
    path.write_bytes(b"")  # made, but nothing written yet
    trail.check_writable()
    assert path.read_bytes() == b""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE x (x)")
    with pytest.raises(AuditError, match="another program"):
        trail.check_writable()

    other = SqlTrail.open(f"sqlite:///{shared / 'audit.db'}")
    fill(other, 1)
    if os.geteuid() == 0:
        os.chown(shared / "audit.db", NOBODY, -1)
    shared.chmod(0o555)
    with reset_gtid_next():
        with pytest.raises(AuditError, match="is read-only"):
            other.check_writable()
        with pytest.raises(AuditError, match="cannot be made"):
            SqlTrail.open(f"sqlite:///{shared / 'more' / 'audit.db'}").check_writable()


# -- where it is -------------------------------------------------------------------------------------------------------


def test_the_default_place_honours_xdg_state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert SqlTrail.open(None).path == tmp_path / "replfix" / "audit.db"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")  # to be ignored, says the specification
    assert file_of(SqlTrail.open(None)).is_absolute()


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("oracle://dba:hunter2@db/audit", "'oracle' is not supported"),
        ("postgresql+psycopg://dba:hunter2@db/audit", "is not supported"),
        ("sqlite+aiosqlite:////tmp/x", "is not supported"),
        ("mysql://dba:hunter2@db", "names no database"),
        ("postgresql:///audit", "names no host"),
        ("hunter2", "no database URL"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite://hunter2@host/x", "path only"),
        ("sqlite:////tmp/x.db?mode=memory", "path only"),
        ("sqlite:///file:x?uri=true", "path only"),
    ],
)
def test_urls_that_are_no_sqlite_file(url: str, match: str) -> None:
    with pytest.raises(ConfigError, match=match) as error:
        SqlTrail.open(url)
    assert "hunter2" not in error.value.message + error.value.hint
    assert error.value.hint


def test_the_author_is_the_account_at_this_host(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setenv("USER", "somebody-else")
    record = SqlTrail.open(f"sqlite:///{path}").append(
        RecordKind.INTENT, incident="i", replica="r", channel="", payload={}
    )
    assert "@" in record.author
    assert "somebody-else" not in record.author
    monkeypatch.setenv("SUDO_USER", "alice")
    record = SqlTrail.open(f"sqlite:///{path}").append(
        RecordKind.INTENT, incident="i", replica="r", channel="", payload={}
    )
    assert record.author.startswith("alice@")
