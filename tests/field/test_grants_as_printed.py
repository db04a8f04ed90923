"""An account that may do too little: what is printed is run by an administrator as it stands, once, and then everything works."""

from __future__ import annotations

import re

from replfix.lab import scenarios
from replfix.lab.flavours import speaking
from replfix.lab.lab_accounts import REPLFIX
from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import executed, wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from tests.integration.running import replfix

SECRET = "pw"


def poor(lab: Lab) -> tuple[str, ...]:
    """Options for an account that may connect, and no more."""
    made = f"CREATE USER poor IDENTIFIED BY '{SECRET}'"
    write_locally(lab.replica, made, logged=False)
    with lab.source.session() as session:
        session.execute("SET sql_log_bin = 0")
        session.execute(made)
    where = [f"mysql://poor:{SECRET}@127.0.0.1:{server.port}" for server in (lab.replica, lab.source)]
    return ("--replica", where[0], "--source", where[1])


def run_as_printed(server: LabServer, printed: str) -> None:
    """Without the words around it."""
    statements = printed[printed.index("SET SESSION") : printed.rindex(";")]
    with server.session() as session:
        for statement in statements.split("; "):
            session.execute(statement)


def test_the_first_refusal_gives_everything(any_pair: Lab) -> None:
    where = poor(any_pair)
    ran = replfix("status", *where[:2], "--json")
    assert ran.code == 6, ran.out
    run_as_printed(any_pair.replica, ran.document["error"]["hint"])
    assert replfix("status", *where[:2], "--json").code == 0


def test_doctors_hints_are_enough(any_pair: Lab) -> None:
    """For a repair and its undo too; and they give no table of the replica away to be written by statements."""
    where = poor(any_pair)
    with any_pair.replica.session() as session:
        before = speaking(session).read_only(session), executed(session)
    granted_by_doctor(any_pair, where)
    with any_pair.replica.session() as session:
        assert (speaking(session).read_only(session), executed(session)) == before
        grants = "".join(grant for (grant,) in session.rows("SHOW GRANTS FOR poor"))
        assert not {"INSERT", "UPDATE", "DELETE"} & set(re.findall("[A-Z]+", grants)), grants
    scenarios.find("duplicate-primary").stage(any_pair)
    trail = ("--config", str(any_pair.config_file), "--json")
    repaired = replfix("resolve", *where, "--yes", *trail)
    assert (repaired.code, repaired.document["outcome"]) == (0, "resolved"), repaired
    any_pair.wait_until_applied()


def granted_by_doctor(any_pair: Lab, where: tuple[str, ...]) -> None:
    first = replfix("doctor", *where, "--json")
    assert first.code == 6
    for _ in range(2):  # the replica first: without its privileges the source is not known
        ran = replfix("doctor", *where, "--json")
        checks = ran.document.get("checks")
        assert checks is not None, ran
        for check in checks:
            if check["fix"] and "GRANT" in check["fix"]:
                at_source = check["code"].startswith("source-") and f":{any_pair.replica.port}:" not in check["fix"]
                server = any_pair.source if at_source else any_pair.replica
                run_as_printed(server, check["fix"])
    ran = replfix("doctor", *where, "--json")
    assert [check for check in ran.document["checks"] if check["verdict"] == "failed"] == []


def test_what_a_skip_takes_on_mariadb_is_named(any_pair: Lab) -> None:
    """MariaDB's skip counter takes SUPER, which nothing else does."""
    with any_pair.source.session() as session:
        session.execute("CREATE DATABASE d")
    any_pair.wait_until_applied()
    write_locally(any_pair.replica, "CREATE PROCEDURE d.p() SELECT 1", logged=False)
    with any_pair.source.session() as session:
        mariadb = session.is_mariadb
        session.execute("CREATE PROCEDURE d.p() SELECT 2")
    wait_until_stopped(any_pair.replica)
    skip = ("resolve", "replica1", "--strategy", "skip", "--yes", "--json", "--config", str(any_pair.config_file))
    ran = replfix(*skip)
    if mariadb:
        assert ran.code == 6, ran.out
        said = ran.document["error"]["hint"]
        assert "GRANT SUPER ON *.* TO `replfix`@`%`;" in said
        run_as_printed(any_pair.replica, said)
        ran = replfix(*skip)
        write_locally(any_pair.replica, "REVOKE SUPER ON *.* FROM replfix@'%'", logged=False)
    assert (ran.code, ran.document["outcome"]) == (0, "resolved"), ran.out


LACKING = {
    "MySQL": ("REPLICATION_SLAVE_ADMIN", "CONNECTION_ADMIN", "SYSTEM_VARIABLES_ADMIN"),
    "MariaDB": ("REPLICATION REPLICA ADMIN", "READ_ONLY ADMIN"),
}


def test_what_the_whole_way_takes_is_missed_before_anything_is_written(any_pair: Lab) -> None:
    scenarios.find("duplicate-primary").stage(any_pair)
    config = ("--config", str(any_pair.config_file))
    resolve = ("resolve", "replica1", "--yes", "--json", *config)
    account = f"'{REPLFIX.name}'@'%'"
    with any_pair.replica.session() as session:
        for privilege in LACKING[speaking(session).product]:
            with speaking(session).writable(session):
                session.execute("SET sql_log_bin = 0")
                session.execute(f"REVOKE {privilege} ON *.* FROM {account}")
            before = _stands(session)
            ran = replfix(*resolve)
            assert ran.code == 6, ran.out
            assert "Nothing was changed." in ran.document["error"]["message"]
            assert f"GRANT {privilege} ON *.* TO" in ran.document["error"]["hint"], ran.out
            assert _stands(session) == before
            assert not replfix("audit", "list", "--kind", "intent", "--json", *config).document["records"]
            run_as_printed(any_pair.replica, ran.document["error"]["hint"])
    ran = replfix(*resolve)
    assert (ran.code, ran.document["outcome"]) == (0, "resolved"), ran.out


def _stands(session: Session) -> tuple[object, ...]:
    return (
        session.rows("SELECT * FROM shop.orders ORDER BY 1"),
        speaking(session).read_only(session),
        executed(session),
        session.rows("SHOW GLOBAL VARIABLES LIKE 'super_read_only'"),
    )
