"""``replfix config``: the file that it writes, the places of mistakes, and the origin of every setting."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from replfix import config
from replfix.cli.app import run
from replfix.config.new_file import NewServer, text_of, write_new
from replfix.config.toml_places import place_of

Output = pytest.CaptureFixture[str]

WRONG = """
[defaults]
pol_seconds = 1.0

[replicas.db2]
  host = "10.0.0.2"
prot = 3307

[replicas."db.3"]
host = 'h'
ssl_mode = "SOMETIMES"

[[policy.rule]]
strategy = "skip"
[[policy.rule]]
strategy = "skp"
policy.limits.x = 1
"""


@pytest.fixture(autouse=True)
def home(bare_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MYSQL_TEST_LOGIN_FILE", str(tmp_path / "none"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def write(file: Path, text: str, mode: int = 0o600) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)
    return str(file)


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        (("defaults", "pol_seconds"), 3, 1),
        (("replicas", "db2", "host"), 6, 3),
        (("replicas", "db2", "missing"), 5, 1),
        (("replicas", "db.3", "ssl_mode"), 11, 1),
        (("policy", "rule", 0, "strategy"), 14, 1),
        (("policy", "rule", 1, "strategy"), 16, 1),
        (("policy", "rule", 1, "policy"), 17, 1),
        (("nothing",), None, None),
    ],
)
def test_the_place_of_a_key(path: tuple[int | str, ...], line: int | None, column: int | None) -> None:
    found = place_of(WRONG, path)
    assert (line, column) == (None, None) if found is None else (found.line, found.column) == (line, column)


def test_every_mistake_is_said_with_its_place_and_the_likely_key(home: Path, capsys: Output) -> None:
    file = write(home / "wrong.toml", WRONG)
    assert run(["config", "check", file]) == 2
    shown = capsys.readouterr().out
    for expected in (
        f"{file}:3:1: defaults.pol_seconds: unknown key; did you mean 'poll_seconds'?",
        f"{file}:7:1: replicas.db2.prot: unknown key; did you mean 'port'?",
        f'{file}:11:1: replicas."db.3".ssl_mode: ssl-mode is one of DISABLED',
        f"{file}:16:1: policy.rule[2].strategy:",
    ):
        assert expected in shown
    assert run(["config", "check", file, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["problems"][0]["line"] == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\nb = = 2\n", ":2:5: no TOML"),
        (
            '[replicas.a]\nhost = "h"\npassword = "x"\n',
            ":3:1: replicas.a.password: replfix.toml must not contain passwords.",
        ),
        ('[replicas.a]\nhost = "h"\ndefaults_file = "none.cnf"\n', ":3:1: The option file"),
        ('[replicas.a]\nhost = "h"\nsource = "b"\n', ":3:1: replicas.a.source: there is no source 'b'."),
        ('[replicas.a]\nhost = "h"\n[audit]\nkey_file = "none.pem"\n', ":4:1: audit.key_file: No such file"),
        (
            '[replicas.a]\nhost = "h"\n[postgresql.a]\nurl = "postgresql://h/d"\n',
            ":3:1: postgresql.a: the name 'a' is that of a MySQL server too.",
        ),
        ("[defaults]\n", "No replica is configured"),
        ('[replicas.a]\nhost = "h"\n', ": nothing is wrong."),
    ],
)
def test_what_is_checked(home: Path, text: str, said: str, capsys: Output) -> None:
    assert run(["config", "check", write(home / "some.toml", text)]) == (0 if "nothing" in said else 2)
    assert said in capsys.readouterr().out


def test_the_search_is_shown(home: Path, capsys: Output) -> None:
    assert run(["config", "path"]) == 0
    assert "used" not in capsys.readouterr().out
    file = write(home / ".config" / "replfix" / "replfix.toml", "[defaults]\n")
    assert run(["config", "path", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["used"] == file
    assert [each["state"] for each in shown["looked_for"]] == ["missing", "used", "not_needed"]
    write(home / "here" / "replfix.toml", '[audit]\nurl = "sqlite:////x"\n')
    assert run(["config", "path"]) == 2
    assert "such a file does not choose: audit.url." in " ".join(capsys.readouterr().out.split())
    assert run(["config", "path", "--config", "/nowhere.toml"]) == 2


def test_each_setting_is_shown_with_its_origin_and_no_password(
    home: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home / ".my.cnf", "[client]\nuser=dba\npassword=s3cr3t\n")
    file = write(
        home / "some.toml", '[replicas.db2]\nhost = "h"\nsource = "db1"\n[sources.db1]\nhost = "i"\nuser = "own"\n'
    )
    assert run(["config", "show", "--config", file, "--json", "--read-only"]) == 0
    said = capsys.readouterr().out
    assert "s3cr3t" not in said
    shown = {each["key"]: (each["value"], each["origin"]) for each in json.loads(said)["settings"]}
    assert shown["defaults.read_only"] == (True, "--read-only")
    assert shown["defaults.poll_seconds"] == (1.0, "default")
    assert shown["replicas.db2.host"] == ("h", file)
    assert shown["replicas.db2.port"] == (3306, "default")
    assert shown["replicas.db2.user"] == ("dba", "option files")
    assert shown["replicas.db2.password"] == ("***", "option files")
    assert shown["sources.db1.user"] == ("own", file)
    assert shown["sources.db1.password"] == (None, "asked for at a terminal")  # that in the file is for another user
    monkeypatch.setenv("REPLFIX_USER", "env")
    assert run(["config", "show", "--config", file]) == 0
    assert "the environment" in capsys.readouterr().out


HOSTILE = 'db"2\x1b[2J\n[replicas.x]'


def test_what_is_written_is_read_again(home: Path) -> None:
    servers = [
        NewServer("db2", "10.0.0.2", 3306, source="db1"),
        NewServer("db3", "10.0.0.3", 3307, sources={"": "db1", "öst": "db1"}, comment=f"listed by {HOSTILE}"),
        NewServer(HOSTILE, "10.0.0.4", 3306, source="db1"),
    ]
    text = text_of(servers, [NewServer("db1", "10.0.0.1", 3306)], {"user": "dba"}, HOSTILE, [HOSTILE])
    file = home / "sub" / "new.toml"
    assert write_new(file, text, replace=False) is None
    assert file.stat().st_mode & 0o777 == 0o600
    assert "\x1b" not in text
    loaded = config.load(str(file))
    assert list(loaded.file.replicas) == ["db2", "db3", HOSTILE]
    assert loaded.file.replicas["db3"].sources == {"": "db1", "öst": "db1"}
    assert loaded.target("db2").source == loaded.endpoint_at("10.0.0.1", 3306)


def test_a_file_that_is_there_is_never_written_over(home: Path, capsys: Output) -> None:
    file = Path(write(home / "there.toml", "# mine\n"))
    assert run(["config", "init", "-h", "127.0.0.1", "-P", "1", "--config", str(file)]) == 4
    assert "is there already" in capsys.readouterr().err
    with pytest.raises(FileExistsError):
        write_new(file, "# new\n", replace=False)
    assert file.read_text() == "# mine\n"
    assert write_new(file, "# new\n", replace=True) == home / "there.toml.before"
    assert (home / "there.toml.before").read_text() == "# mine\n"
    assert [path.name for path in home.glob(".*toml*")] == []


def test_without_a_host_and_a_terminal_it_asks_for_one(capsys: Output) -> None:
    assert run(["config", "init"]) == 2
    assert "Which host?" in capsys.readouterr().err
