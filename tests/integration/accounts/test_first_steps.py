"""Somebody who meets replfix with a new account and no configuration: what is printed is run as it is, and is enough."""

from __future__ import annotations

import re
from pathlib import Path

from replfix import config
from replfix.lab.lab_accounts import ADMIN
from replfix.lab.lab_state import LabServer
from replfix.lab.topology import Lab
from tests.integration.running import Ran, replfix

NAME = "o`d'd"  # as an account may be called
URL_NAME = "o%60d%27d"


def test_what_grants_the_privileges_is_enough_at_the_first_try(any_pair: Lab) -> None:
    servers = (any_pair.replica, any_pair.source)
    for server in servers:
        with server.session() as session:
            session.execute("SET SESSION sql_log_bin = 0")
            shut = not session.is_mariadb and session.scalar("SELECT @@super_read_only")
            if shut:
                session.execute("SET GLOBAL super_read_only = OFF")
            session.execute("DROP USER IF EXISTS 'o`d''d'@'127.0.0.%'")
            session.execute("CREATE USER 'o`d''d'@'127.0.0.%' IDENTIFIED BY 'pw'")
            if shut:
                session.execute("SET GLOBAL super_read_only = ON")
    before = [settings(server) for server in servers]

    def doctor() -> Ran:
        replica, source = (f"mysql://{URL_NAME}:pw@127.0.0.1:{server.port}" for server in servers)
        return replfix("doctor", "--replica", replica, "--source", source, "--json")

    followed = 0
    for _ in range(3):
        ran = doctor()
        error = ran.document.get("error")
        checks = [] if error else [c for c in ran.document["checks"] if "GRANT" in c["fix"]]
        if error:
            follow(error["hint"], *(server for server in servers if f":{server.port}:" in error["hint"]))
        for check in checks:
            of_source = check["code"].startswith("source") or check["message"].startswith("On the source")
            follow(check["fix"], any_pair.source if of_source else any_pair.replica)
        if not error and not checks:
            break
        followed += 1
    assert ran.code == 0, ran
    assert followed <= 2, followed  # once to be able to look at all, once for all that lacks on either server
    assert [settings(server) for server in servers] == before  # nothing logged, and nothing left open


def follow(text: str, *servers: LabServer) -> None:
    """Run the statements of a hint as they are printed."""
    assert servers
    statements = re.sub(r"\s+", " ", text[text.index("SET SESSION") : text.rindex(";") + 1])
    for server in servers:
        with server.session(ADMIN) as session:
            for statement in statements.split("; "):
                session.execute(statement.rstrip(";"))


def settings(server: LabServer) -> tuple[object, ...]:
    with server.session() as session:
        if session.is_mariadb:
            return session.scalar("SELECT @@gtid_binlog_pos"), session.scalar("SELECT @@read_only")
        return session.scalar("SELECT @@gtid_executed"), session.scalar("SELECT @@super_read_only")


def test_a_configuration_is_written_from_one_host(any_pair: Lab, tmp_path: Path) -> None:
    replica, source = any_pair.replica, any_pair.source
    options = tmp_path / "my.cnf"
    options.write_text(f"[client]\nuser={ADMIN.name}\npassword={ADMIN.password}\nhost=127.0.0.1\nport={replica.port}\n")
    options.chmod(0o600)
    file = tmp_path / "new.toml"
    given = ("--defaults-file", str(options), "--config", str(file))
    ran = replfix("config", "init", "--source", f"mysql://127.0.0.1:{source.port}", *given)
    assert ran.code == 0, ran
    assert file.stat().st_mode & 0o777 == 0o600
    loaded = config.load(str(file))
    assert [target.replica.port for target in loaded.targets()] == [replica.port]
    assert [target.source.port for target in loaded.targets() if target.source] == [source.port]
    assert replfix("config", "check", str(file)).code == 0
    assert replfix("status", "--config", str(file)).code == 0

    again = replfix("config", "init", *given)
    assert (again.code, "is there already" in again.err) == (4, True)

    # from the source's side: it lists the replica where that has a report_host
    replaced = replfix("config", "init", "-P", str(source.port), "-h", "127.0.0.1", *given, "--yes", "--json")
    assert replaced.code == 0, replaced
    assert (tmp_path / "new.toml.before").is_file()
    assert replaced.document["sources"]
    assert replaced.document["replicas"] or replaced.document["not_seen"]


def test_a_source_is_no_replica_and_the_worst_counts(pair: Lab) -> None:
    url = pair.replica.url()
    assert replfix("status", "--replica", pair.source.url()).code == 2
    both = replfix("status", "--json", "--replica", url, "--replica", pair.source.url())
    assert (both.code, len(both.document["replicas"]), len(both.document["unreachable"])) == (2, 1, 1), both
    nagios = replfix("status", "--nagios", "--replica", url)
    assert (nagios.code, nagios.out.partition(" | ")[0]) == (0, "REPLFIX OK - 1 channel running")
    assert replfix("status", "--nagios", "--replica", pair.source.url()).code == 3

    with pair.replica.session() as session:
        session.execute("STOP REPLICA SQL_THREAD")
    two = pair.config_file.parent / "two.toml"
    two.write_text(
        pair.config_file.read_text()
        + f'\n[replicas.beside]\nhost = "127.0.0.1"\nport = {pair.source.port}\nuser = "replfix"\n'
    )
    two.chmod(0o600)
    asked = replfix("diagnose", "--config", str(two))
    assert (asked.code, "Stopped: replica1." in asked.err) == (2, True), asked
    assert replfix("status", "--config", str(two)).code == 3
