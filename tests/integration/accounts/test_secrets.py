"""A password is where it was put and nowhere else; what replfix writes is for its owner only."""

from __future__ import annotations

import base64
import stat
from pathlib import Path
from urllib.parse import quote

import pytest

from replfix.lab import scenarios
from replfix.lab.topology import Lab
from tests.integration.running import Ran, replfix

PASSWORD = "Hush'\"#Quokka:@/é"
"""With everything that has to be quoted somewhere."""

FORMS = tuple(
    form.encode()
    for form in (
        PASSWORD,
        "Quokka",
        quote(PASSWORD, safe=""),
        base64.b64encode(PASSWORD.encode()).decode(),
        repr(PASSWORD),
    )
)


def assert_nothing_in(said: bytes, where: str) -> None:
    found = [form for form in FORMS if form in said]
    assert not found, f"{found} in {where}"


@pytest.fixture
def known_by_password(pair: Lab) -> Lab:
    """Both servers know the account ``hushed``."""
    scenarios.find("duplicate-primary").stage(pair)
    literal = PASSWORD.replace("'", "''")
    for server in (pair.source, pair.replica):
        with server.session() as session:
            session.execute("SET sql_log_bin = 0")
            session.execute("SET GLOBAL super_read_only = OFF")
            session.execute(f"CREATE USER hushed IDENTIFIED BY '{literal}'")
            session.execute("GRANT ALL ON *.* TO hushed")
            session.execute(f"SET GLOBAL super_read_only = {'ON' if server is pair.replica else 'OFF'}")
    return pair


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the commands of a test keep whatever they keep."""
    directory = tmp_path / "home"
    directory.mkdir()
    monkeypatch.setenv("HOME", str(directory))
    monkeypatch.setenv("XDG_STATE_HOME", str(directory / "state"))
    monkeypatch.chdir(directory)
    return directory


def assert_kept_in_private(home: Path) -> None:
    """Directories that replfix made and all files in them: what rows they hold is nobody else's business."""
    made = sorted((home / "state").rglob("*")) + [p for p in home.iterdir() if p.is_file()]
    assert any(path.name == "audit.db" for path in made)
    for path in made:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        if path.is_file():
            assert_nothing_in(path.read_bytes(), str(path))


def test_a_run_from_end_to_end(known_by_password: Lab, home: Path) -> None:
    lab = known_by_password
    url = f"mysql://hushed:{quote(PASSWORD, safe='')}@127.0.0.1:{lab.replica.port}"
    source = f"mysql://hushed:{quote(PASSWORD, safe='')}@127.0.0.1:{lab.source.port}"
    servers = ("--replica", url, "--source", source, "--verbose")

    def run(*arguments: str, code: int = 0) -> Ran:
        ran = replfix(*arguments)
        assert ran.code == code, f"{arguments}: {ran}"
        assert_nothing_in((ran.out + ran.err).encode(), arguments[0])
        return ran

    run("status", *servers, code=3)
    run("diagnose", *servers, code=3)
    run("doctor", *servers)
    intent = run("resolve", *servers, "--yes", "--json").document["audit_ids"][0]
    run("recover", *servers[:2])
    run("audit", "list", "--json")
    run("audit", "show", intent)
    run("audit", "show", intent, "--json")
    run("audit", "export", "--output", "trail.jsonl")
    run("audit", "verify")
    run("undo", intent, *servers[:2], "--yes", code=4)
    assert_kept_in_private(home)


def test_whatever_goes_wrong(known_by_password: Lab, home: Path) -> None:
    """In URLs at wrong places and of wrong accounts; told, and not repeated."""
    port = known_by_password.replica.port
    url = f"mysql://nobody:{quote(PASSWORD, safe='')}@127.0.0.1:{port}"
    plain = "mysql://nobody:Hush-Quokka@127.0.0.1"
    config = home / "replfix.toml"
    config.write_text(
        f'[audit]\nurl = "{plain}:{port}/nowhere"\n[replicas.a]\nhost = "127.0.0.1"\nport = {port}\nsource = "{plain}"\n'
    )
    for arguments in (
        ("status", "--replica", url),
        ("status", "--replica", f"{url}?ssl-mode=VERIFY_IDENTITY&ssl-ca=/nowhere"),
        ("status", "--replica", f"mysql://nobody:12?{PASSWORD}@127.0.0.1"),
        ("resolve", "--replica", url, "--yes"),
        ("resolve", "a", "--yes"),
        ("audit", "list"),
        (plain,),
        ("status", "db", plain),
        ("schema", plain),
        ("audit", "show", plain),
        ("status", "--config", plain),
        ("resolve", "--max-rounds", plain),
        ("lab", "break", plain),
    ):
        for more in ((), ("--json",), ("--verbose",)):
            ran = replfix(*arguments, *more)
            assert ran.code in (2, 4, 6), (arguments, ran)
            assert_nothing_in((ran.out + ran.err).encode(), " ".join(arguments[:2]))
