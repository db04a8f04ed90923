"""replfix.toml: what it says, where it is looked for, and the words for everything that can be wrong with it."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest

from replfix import config
from replfix.cli.open_servers import open_target
from replfix.cli.options import ReplicaSelector, configured_names
from replfix.core.connection.endpoint import Endpoint, Secret
from replfix.errors import ConfigError, UsageError
from tests.places import DOCS

WHOLE = """
[defaults]
defaults_file = "client.cnf"
poll_seconds = 2

[replicas.db2]
host = "10.0.0.2"
source = "db1"
channel = "main"

[replicas.db3]
host = "10.0.0.3"
port = 3307
user = "dba"
source = "db2"

[sources.db1]
host = "10.0.0.1"

[audit]
url = "sqlite:////var/lib/replfix/audit.db"

[[policy.rule]]
tables = ["shop.*"]
errors = [1062, 1032]
causes = ["applied-twice", "local-write"]
strategy = "source-wins"
max_rows = 100

[policy.limits]
per_hour = 20
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of the account that runs the tests."""
    for name in ("REPLFIX_CONFIG", "REPLFIX_USER", "REPLFIX_PASSWORD", "MYSQL_PWD", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "home"


def write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


def loaded(tmp_path: Path, text: str) -> config.Config:
    return config.load(write(tmp_path / "replfix.toml", text))


def error_of(tmp_path: Path, text: str) -> ConfigError:
    with pytest.raises(ConfigError) as error:
        loaded(tmp_path, text)
    assert str(tmp_path / "replfix.toml") in error.value.message
    assert error.value.hint
    return error.value


# -- where it is -------------------------------------------------------------------------------------------------------


def test_no_file_at_all_is_fine() -> None:
    found = config.load()
    assert found.path is None
    assert found.targets() == []
    assert (found.poll_seconds, found.audit_url) == (1.0, None)


def test_the_search_order(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    default = write(home / ".config/replfix/replfix.toml", "")
    assert str(config.load().path) == default
    xdg = write(tmp_path / "xdg/replfix/replfix.toml", "")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert str(config.load().path) == xdg
    here = write(tmp_path / "here/replfix.toml", "")
    assert str(config.load().path) == here
    named = write(tmp_path / "named.toml", "")
    monkeypatch.setenv("REPLFIX_CONFIG", named)
    assert str(config.load().path) == named
    given = write(tmp_path / "given.toml", "")
    assert str(config.load(given).path) == given


@pytest.mark.parametrize(
    "line",
    [
        "[audit]\nurl = 'sqlite:////tmp/elsewhere.db'",
        "[defaults]\ndefaults_file = 'theirs.cnf'",
        "[defaults]\nssl_mode = 'PREFERRED'",
        "[replicas.db2]\nhost = 'h'\nssl_mode = 'DISABLED'",
        "[replicas.db2]\nhost = 'h'\nssl_ca = 'theirs.pem'",
        "[replicas.db2]\nhost = 'localhost'\nsocket = 'theirs.sock'",
        "[sources.db1]\nhost = 'h'\nenable_cleartext_plugin = true",
        "[sources.db1]\nhost = 'h'\nget_server_public_key = true",
    ],
)
def test_what_a_file_in_the_working_directory_does_not_choose(tmp_path: Path, line: str) -> None:
    key = line.split("\n")[-1].partition(" ")[0]
    file = write(tmp_path / "here/replfix.toml", line)
    with pytest.raises(ConfigError, match=rf"working directory.* does not choose: [a-z.0-9]*{key}") as error:
        config.load()
    assert "--config" in error.value.hint
    assert config.load(file).path == Path(file)  # named, it is somebody's own


def test_what_it_may_choose(tmp_path: Path) -> None:
    write(tmp_path / "here/replfix.toml", "[replicas.db2]\nhost = 'h'\nport = 3307\nssl_mode = 'VERIFY_IDENTITY'")
    assert config.load().target("db2").replica.port == 3307


def test_files_of_others_are_not_believed(tmp_path: Path) -> None:
    file = Path(write(tmp_path / "named.toml", ""))
    file.chmod(0o666)
    with pytest.raises(ConfigError, match=r"is not trusted\. It can be written to by others") as error:
        config.load(str(file))
    assert error.value.hint == f"Run: chmod go-w {file}"


def test_a_named_file_has_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="does not exist") as error:
        config.load(str(tmp_path / "none.toml"))
    assert "--config" in error.value.hint
    monkeypatch.setenv("REPLFIX_CONFIG", str(tmp_path / "none.toml"))
    with pytest.raises(ConfigError, match="does not exist") as error:
        config.load()
    assert "$REPLFIX_CONFIG" in error.value.hint


def test_what_is_no_readable_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Cannot read"):
        config.load(str(tmp_path))
    (tmp_path / "latin.toml").write_bytes(b'x = "\xff"')
    with pytest.raises(ConfigError, match="not UTF-8"):
        config.load(str(tmp_path / "latin.toml"))


# -- what it says ------------------------------------------------------------------------------------------------------


def test_everything_in_it(tmp_path: Path) -> None:
    write(tmp_path / "client.cnf", "[client]\nuser=repl\npassword=hunter2\n")
    found = loaded(tmp_path, WHOLE)
    assert found.poll_seconds == 2
    assert found.audit_url == "sqlite:////var/lib/replfix/audit.db"
    db2, db3 = found.targets()
    secret = Secret("hunter2")
    assert db2 == config.Target(
        name="db2",
        replica=Endpoint("10.0.0.2", 3306, "repl", secret),
        source=Endpoint("10.0.0.1", 3306, "repl", secret),
        channel="main",
    )
    assert db3.replica == Endpoint("10.0.0.3", 3307, "dba", None)  # the password is that of repl
    assert db3.source == Endpoint("10.0.0.2", 3306, "dba", None)
    (rule,) = found.policy.rule
    assert (rule.tables, rule.errors, rule.strategy, rule.max_rows) == (("shop.*",), (1062, 1032), "source-wins", 100)
    assert found.policy.limits.per_hour == 20
    assert found.warnings == ()


def test_the_example_of_the_documentation_is_valid(tmp_path: Path) -> None:
    page = (DOCS / "configuration.md").read_text()
    example = page.split("```toml\n")[1].split("```")[0]
    write(tmp_path / "home/.my.cnf", "[client]\nuser=repl\n")
    assert loaded(tmp_path, example).target("db2").replica.user == "repl"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[replicas.db2]\nhost = 'h'\nport = 70000", ["replicas.db2.port", "65535"]),
        ("[replicas.db2]\nhost = 'h'\nport = '3306'", ["replicas.db2.port", "integer"]),
        ("[replicas.db2]\nhost = 'h'\nport = true", ["replicas.db2.port", "integer"]),
        ("[replicas.db2]\nport = 1", ["replicas.db2.host", "missing"]),
        ("[replicas.db2]\nhost = 7", ["replicas.db2.host", "string"]),
        ("[replicas.db2]\nhost = ''", ["replicas.db2.host", "host's name"]),
        ("[replicas.db2]\nhost = 'mysql://u:hunter2@h'", ["replicas.db2.host", "host's name"]),
        ("[replicas.'a b']\nhost = ''", ['replicas."a b".host']),
        ("[replicas.db2]\nhost = 'h'\nprot = 1", ["replicas.db2.prot", "unknown key", "'port'"]),
        (
            "[replicas.db2]\nhost = 'h'\nzzz = 1",
            [
                "replicas.db2.zzz",
                "channel, defaults_file, enable_cleartext_plugin, get_server_public_key, host, login_path, port",
            ],
        ),
        ("[replica.db2]\nhost = 'h'", ["replica: unknown key", "'replicas'"]),
        ("[defaults]\npol_seconds = 1", ["defaults.pol_seconds", "'poll_seconds'"]),
        ("[defaults]\npoll_seconds = 0", ["defaults.poll_seconds", "0.1"]),
        ("[defaults]\npoll_seconds = inf", ["defaults.poll_seconds"]),
        ("[defaults]\npoll_seconds = nan", ["defaults.poll_seconds"]),
        ("replicas = 3", ["replicas"]),
        ("[[policy.rule]]\nstrategy = 'source-win'", ["policy.rule[1].strategy", "source-wins"]),
        ("[[policy.rule]]\nstrategy = 'skip'\ntables = ['shop']", ["policy.rule[1].tables[1]", "schema.table"]),
        ("[[policy.rule]]\nstrategy = 'skip'\nmaxrows = 1", ["policy.rule[1].maxrows", "'max_rows'"]),
        ("[policy.limits]\nper_hours = 1", ["policy.limits.per_hours", "'per_hour'"]),
        ("[replicas.db2]\nhost = 'h'\nsource = 'db9'\n[sources.db1]\nhost = 'h'", ["replicas.db2.source", "'db9'"]),
        ("a = 1\nb = = 2", ["no TOML", "line 2"]),
        ("[defaults]\nuser = 'a'\nuser = 'b'\n# end", ["no TOML", "line 3"]),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, words: list[str]) -> None:
    message = error_of(tmp_path, text).message
    for word in words:
        assert word in message
    assert "hunter2" not in message


def test_several_problems_are_all_told(tmp_path: Path) -> None:
    message = error_of(tmp_path, "[replicas.a]\nport = 0\n[sources.b]\nhots = 'h'").message
    for word in ("4 problems", "replicas.a.host", "replicas.a.port", "sources.b.host", "sources.b.hots"):
        assert word in message


@pytest.mark.parametrize("key", ["password", "passwd", "db_pwd", "Password", "secret"])
@pytest.mark.parametrize("section", ["", "[defaults]\n", "[replicas.db2]\nhost = 'h'\n", "[[policy.rule]]\n"])
def test_a_password_is_refused_with_the_place_where_it_belongs(tmp_path: Path, section: str, key: str) -> None:
    error = error_of(tmp_path, f"{section}{key} = 'hunter2'")
    assert key in error.message
    assert "must not contain passwords" in error.message
    assert "REPLFIX_PASSWORD" in error.hint
    assert "hunter2" not in error.message + error.hint


def test_a_server_may_be_called_anything(tmp_path: Path) -> None:
    found = loaded(tmp_path, "[replicas.password]\nhost = 'h'")
    assert [target.name for target in found.targets()] == ["password"]


# -- which replica -----------------------------------------------------------------------------------------------------

TWO = "[replicas.berlin]\nhost = 'h1'\n[replicas.munich]\nhost = 'h2'\n[sources.main]\nhost = 's'"


def test_a_name_that_is_not_configured(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'berlni'") as error:
        loaded(tmp_path, TWO).target("berlni")
    assert error.value.hint == "Did you mean 'berlin'? Configured: berlin, munich."
    with pytest.raises(ConfigError, match="No replica 'x'") as error:
        config.load().target("x")
    assert "--replica" in error.value.hint


def test_a_url_in_place_of_a_name_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        loaded(tmp_path, TWO).target("mysql://u:hunter2@h")
    assert "hunter2" not in error.value.message + error.value.hint
    assert "--replica" in error.value.hint


def test_without_a_name_the_only_replica_is_meant(tmp_path: Path) -> None:
    assert loaded(tmp_path, "[replicas.one]\nhost = 'h'").target().name == "one"
    with pytest.raises(UsageError, match="Which replica") as error:
        loaded(tmp_path, TWO).target()
    assert "berlin, munich" in error.value.hint
    with pytest.raises(UsageError, match="None is configured") as error:
        config.load().target()
    assert "--replica" in error.value.hint


def test_a_name_and_a_url_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name and --replica"):
        loaded(tmp_path, TWO).target("berlin", "mysql://h")


def test_the_command_line_comes_before_the_file(tmp_path: Path) -> None:
    found = loaded(tmp_path, TWO)
    target = found.target("berlin", source_url="mysql://u:p@other:3310", channel="c2")
    assert target.source == Endpoint("other", 3310, "u", Secret("p"))
    assert target.channel == "c2"
    by_name = found.target("berlin", source_url="main").source
    assert by_name is not None
    assert by_name.host == "s"
    assert found.target("berlin", channel="").channel == ""


def test_urls_alone() -> None:
    target = config.load().target(None, "mysql://dba:p%40ss@h:3307", "mysql://s")
    assert target.name == "h:3307"
    assert target.replica == Endpoint("h", 3307, "dba", Secret("p@ss"))
    assert target.source == Endpoint("s", 3306, "dba", Secret("p@ss"))
    with pytest.raises(UsageError, match="scheme"):
        config.load().target(None, "h:3306")


# -- which account -----------------------------------------------------------------------------------------------------


def account(target: config.Target) -> tuple[str | None, str | None]:
    return target.replica.user, target.replica.password.reveal() if target.replica.password else None


def test_the_environment_comes_before_the_option_file_and_a_url_before_both(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert account(config.load().target(None, "mysql://h")) == (None, None)
    write(home / ".my.cnf", "[client]\nuser=filed\npassword=from-file\n")
    assert account(config.load().target(None, "mysql://h")) == ("filed", "from-file")
    monkeypatch.setenv("MYSQL_PWD", "fallback")
    assert account(config.load().target(None, "mysql://h")) == ("filed", "from-file")
    monkeypatch.setenv("REPLFIX_PASSWORD", "from-env")
    assert account(config.load().target(None, "mysql://h")) == ("filed", "from-env")
    monkeypatch.setenv("REPLFIX_USER", "env")
    assert account(config.load().target(None, "mysql://h")) == ("env", "from-env")
    assert account(config.load().target(None, "mysql://url:in-url@h")) == ("url", "in-url")
    assert account(config.load().target(None, "mysql://url:@h")) == ("url", "")


def test_a_password_is_not_sent_for_another_user(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home / ".my.cnf", "[client]\nuser=alice\npassword=of-alice\n")
    assert account(config.load().target(None, "mysql://bob@h")) == ("bob", None)
    assert account(config.load().target(None, "mysql://alice@h")) == ("alice", "of-alice")
    monkeypatch.setenv("REPLFIX_USER", "carol")
    assert account(config.load().target(None, "mysql://h")) == ("carol", None)
    monkeypatch.setenv("MYSQL_PWD", "anyone")
    assert account(config.load().target(None, "mysql://h")) == ("carol", "anyone")
    write(home / ".my.cnf", "[client]\npassword=anyones\n")
    assert account(config.load().target(None, "mysql://bob@h")) == ("bob", "anyones")


def test_accounts_of_replica_and_source(tmp_path: Path) -> None:
    write(tmp_path / "source.cnf", "[client]\nuser=src\npassword=s\n")
    found = loaded(
        tmp_path,
        "[replicas.a]\nhost='a'\nsource='with'\n[replicas.b]\nhost='b'\nsource='without'\n"
        "[sources.with]\nhost='s'\ndefaults_file='source.cnf'\n[sources.without]\nhost='s'\n",
    )
    write(tmp_path / "home/.my.cnf", "[client]\nuser=home\npassword=h\n")
    assert found.target("a").source == Endpoint("s", 3306, "src", Secret("s"))
    assert found.target("b").source == Endpoint("s", 3306, "home", Secret("h"))


def test_an_option_file_that_is_named_has_to_be_readable(tmp_path: Path) -> None:
    found = loaded(tmp_path, "[replicas.a]\nhost='a'\ndefaults_file='none.cnf'\n[replicas.b]\nhost='b'\n")
    with pytest.raises(ConfigError, match=r"none\.cnf does not exist"):
        found.target("a")
    assert found.target("b").name == "b"
    (tmp_path / "none.cnf").mkdir()
    with pytest.raises(ConfigError, match="Cannot read the option file"):
        found.target("a")


def test_a_password_that_others_may_read_is_warned_about(home: Path) -> None:
    write(home / ".my.cnf", "[client]\nuser=u\npassword=hunter2\n")
    (home / ".my.cnf").chmod(0o644)
    found = config.load()
    found.target(None, "mysql://h")
    (warning,) = found.warnings
    assert "chmod 600" in warning
    assert "hunter2" not in warning


def test_no_secret_in_any_repr(home: Path) -> None:
    write(home / ".my.cnf", "[client]\nuser=u\npassword=hunter2\n")
    found = config.load()
    assert "hunter2" not in repr(found.target(None, "mysql://h"))
    assert "hunter2" not in repr(vars(found))


def test_a_password_on_the_command_line_is_warned_about_at_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    meant = ReplicaSelector(None, "mysql://u:hush-4711@h", "mysql://u@source", None)
    for terminal, says in ((False, ""), (True, "the password in --replica is seen by every user of this host")):
        monkeypatch.setattr(sys.stderr, "isatty", lambda terminal=terminal: terminal)
        open_target(config.load(), meant)
        told = capsys.readouterr().err
        assert told.count("Warning") == (1 if terminal else 0)
        assert says in told
        assert "hush" not in told


def test_completion_offers_no_name_that_a_shell_would_run(tmp_path: Path) -> None:
    """Bash writes what is offered into the line as it is."""
    names = ["db2", "db-3.eu", "db4;reboot", "db5 $(id)", "db6`id`", "db7\\n"]
    sections = "".join(f'[replicas."{name}"]\nhost = "h"\n' for name in names)
    context = click.Context(click.Command("diagnose"))
    context.params["config_path"] = write(tmp_path / "replfix.toml", sections)
    assert configured_names(context, click.Argument(["name"]), "db") == ["db2", "db-3.eu"]
