"""Signing in as the mysql client does: which files are read, what comes before what, and the login file.

``tests/golden/option_files/mylogin.cnf`` was written by mysql_config_editor 9.7.4; what counts was compared with
``mysql --print-defaults`` of that version.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from replfix import config
from replfix.cli.app import run
from replfix.config import client_files
from replfix.config.login_file import deciphered
from replfix.core.connection.command_line import CommandLine, given
from replfix.core.connection.endpoint import DEFAULT_PORT, Endpoint, Secret
from replfix.core.connection.tls import Tls, TlsMode
from replfix.errors import ConfigError, UsageError
from tests.places import ROOT

LOGIN_FILE = ROOT / "tests" / "golden" / "option_files" / "mylogin.cnf"


@pytest.fixture(autouse=True)
def home(bare_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of the account that runs the tests, and no file of the machine."""
    monkeypatch.setattr(client_files, "GLOBAL_FILES", (str(tmp_path / "global.cnf"),))
    monkeypatch.setenv("MYSQL_TEST_LOGIN_FILE", str(tmp_path / "mylogin.cnf"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(file: Path, text: str) -> str:
    file.write_text(text)
    file.chmod(0o600)
    return str(file)


def login_file(home: Path, mode: int = 0o600) -> None:
    shutil.copy(LOGIN_FILE, home / "mylogin.cnf")
    (home / "mylogin.cnf").chmod(mode)


def meant(toml: str | None = None, /, **options: Any) -> Endpoint:
    """The server that a command without a NAME works on."""
    with given(CommandLine(**options)):
        return config.load(toml).target().replica


def shown(endpoint: Endpoint) -> tuple[str, int, str | None, str | None, str | None]:
    password = None if endpoint.password is None else endpoint.password.reveal()
    return endpoint.host, endpoint.port, endpoint.socket, endpoint.user, password


def test_the_address_of_an_option_file_counts_where_nothing_is_configured(home: Path) -> None:
    write(home / ".my.cnf", "[client]\nhost=10.0.0.7\nport=3310\nuser=dba\npassword=p\n")
    assert shown(meant()) == ("10.0.0.7", 3310, None, "dba", "p")
    toml = write(home / "some.toml", '[replicas.db2]\nhost = "10.0.0.2"\n')
    assert shown(meant(toml))[:2] == ("10.0.0.2", DEFAULT_PORT)
    assert shown(meant(toml, host="10.0.0.9"))[:2] == ("10.0.0.9", 3310)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ("user", 4000, None, "of_user", "of_user")),
        ({"host": "given", "port": 5000, "user": "given"}, ("given", 5000, None, "given", None)),
        ({"defaults_extra_file": "extra.cnf"}, ("user", 4000, None, "of_user", "of_user")),
        ({"defaults_file": "extra.cnf"}, ("extra", DEFAULT_PORT, None, "of_extra", None)),
        ({"host": "x", "no_defaults": True}, ("x", DEFAULT_PORT, None, None, None)),
        ({"host": "localhost"}, ("localhost", 4000, "/global.sock", "of_user", "of_user")),
        ({"host": "localhost", "port": 5000}, ("localhost", 5000, None, "of_user", "of_user")),
        ({"socket": "/given.sock"}, ("user", 4000, "/given.sock", "of_user", "of_user")),
        ({"defaults_group_suffix": "_x"}, ("suffix", 4000, None, "of_user", "of_user")),
        ({"ask_password": True}, ("user", 4000, None, "of_user", None)),
    ],
    ids=str,
)
def test_a_later_file_comes_before_an_earlier_one(home: Path, options: dict[str, object], expected: object) -> None:
    write(
        home / "global.cnf",
        "[client]\nhost=global\nport=4000\nuser=of_global\npassword=of_global\nsocket=/global.sock\n",
    )
    write(home / "extra.cnf", "[client]\nhost=extra\nuser=of_extra\n")
    write(
        home / ".my.cnf",
        "[client]\nhost=user\nuser=of_user\npassword=of_user\n[client_x]\nhost=suffix\n[mysql]\nhost=others\n",
    )
    assert shown(meant(**options)) == expected


def test_a_password_is_not_taken_along_to_the_user_of_another_file(home: Path) -> None:
    write(home / "global.cnf", "[client]\nhost=h\nuser=alice\npassword=alices\n")
    write(home / ".my.cnf", "[client]\nuser=bob\n")
    assert shown(meant())[3:] == ("bob", None)
    write(home / ".my.cnf", "[client]\nuser=alice\npassword\n")
    assert shown(meant())[3:] == ("alice", None)


def test_the_login_file_comes_before_all_option_files(home: Path) -> None:
    login_file(home)
    write(home / ".my.cnf", "[client]\nhost=user\nuser=of_user\npassword=of_user\nport=4000\n[db2]\nuser=not_read\n")
    assert shown(meant()) == ("10.0.0.9", 4000, None, "alice", None)
    assert shown(meant(login_path="db2")) == ("10.0.0.2", 3307, None, "repl", 'p#w"d\\x ')
    assert shown(meant(login_path="local")) == ("10.0.0.9", 4000, None, "root", "it's plain")
    assert shown(meant(login_path="db2", user="other"))[3:] == ("other", None)


def test_a_login_path_of_the_configuration(home: Path) -> None:
    login_file(home)
    toml = write(home / "some.toml", '[replicas.db2]\nhost = "10.0.0.2"\nlogin_path = "db2"\n')
    assert shown(meant(toml))[3:] == ("repl", 'p#w"d\\x ')


def test_files_of_the_command_line_come_before_the_configuration(home: Path) -> None:
    toml = write(home / "some.toml", '[defaults]\nuser = "toml"\nssl_mode = "DISABLED"\n[replicas.db2]\nhost = "db2"\n')
    write(home / "mine.cnf", "[client]\nuser=mine\npassword=mine\nssl-mode=REQUIRED\n")
    with given(CommandLine(defaults_file="mine.cnf")):
        replica = config.load(toml).target("db2").replica
    assert shown(replica)[3:] == ("mine", "mine")
    assert replica.tls.mode is TlsMode.REQUIRED
    with given(CommandLine(user="given", tls=Tls(ssl_mode=TlsMode.VERIFY_CA))):
        replica = config.load(toml).target("db2").replica
    assert (replica.user, replica.tls.mode) == ("given", TlsMode.VERIFY_CA)


def test_a_password_in_a_url_stays_where_one_is_asked_for() -> None:
    with given(CommandLine(ask_password=True)):
        assert config.load().target(replica_url="mysql://a:b@h").replica.password == Secret("b")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_login_file_that_others_can_read_is_refused(home: Path, mode: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replfix.own_files._is_ours_alone", lambda _: False)
    login_file(home, mode)
    with pytest.raises(ConfigError, match="cannot be used"):
        meant(login_path="db2")
    write(home / ".my.cnf", "[client]\nhost=user\n")
    loaded = config.load()
    assert loaded.target().replica.host == "user"
    assert "mylogin.cnf is ignored." in loaded.warnings[0]


def test_a_login_path_that_is_not_there_gets_the_likely_one(home: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        meant(login_path="db3")
    login_file(home)
    with pytest.raises(ConfigError) as error:
        meant(login_path="db3")
    assert "Did you mean 'db2'?" in error.value.hint


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 23, b"\0" * 25, LOGIN_FILE.read_bytes()[:-1], b"[client]\nuser=x\n" * 4]
)
def test_what_is_no_login_file_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"short|line"):
        deciphered(content)


@pytest.mark.parametrize(("port", "fine"), [("0", True), ("3306", True), ("65536", False), ("-1", False), ("x", False)])
def test_a_port(home: Path, port: str, fine: bool) -> None:
    write(home / ".my.cnf", f"[client]\nhost=h\nport={port}\n")
    if fine:
        assert meant().port == (int(port) or DEFAULT_PORT)
    else:
        with pytest.raises(ConfigError, match="port is a number"):
            meant()


def test_a_name_and_an_address_are_two_servers() -> None:
    with given(CommandLine(port=1)), pytest.raises(UsageError, match="--port"):
        config.load().target(replica_url="mysql://h")


@pytest.mark.parametrize("words", [["-psecret"], ["--password=secret"], ["-u", "x", "-psecret"]], ids=str)
def test_a_password_on_the_command_line_is_refused_and_not_repeated(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["status", "-h", "127.0.0.1", *words]) == 2
    said = capsys.readouterr()
    assert "A password on the command line is not taken" in said.err
    assert "secret" not in said.out + said.err


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (["-h", "127.0.0.1", "-P", "1"], "127.0.0.1:1"),
        (["-S", "/nowhere.sock"], "/nowhere.sock"),
        (["--login-path", "db2", "-h", "127.0.0.1", "-P", "2"], "127.0.0.1:2"),
        (["--host=127.0.0.1", "--port=3", "--ssl-mode=REQUIRED", "-u", "x"], "127.0.0.1:3"),
    ],
    ids=str,
)
def test_commands_take_them(words: list[str], where: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    login_file(home)
    for line in (["status", *words], [*words, "diagnose"]):
        assert run(line) == 6
        assert where in capsys.readouterr().err


def test_h_alone_asks_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "-h"]) == 0
    assert "Usage: replfix status" in capsys.readouterr().out
