"""One clear message with a hint, the contract's exit code, no traceback, no password: whatever was typed or is down."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from replfix.lab.lab_accounts import ADMIN
from replfix.lab.topology import Lab
from tests.integration.running import Ran, replfix

PASSWORD = "hush-Gr%C3%BCn-4711"
SPOKEN = ("hush-Gr", "4711")

READING = (["status"], ["diagnose"], ["resolve", "--yes"], ["doctor"])


def fails(ran: Ran, code: int, *words: str) -> None:
    assert ran.code == code, ran.out + ran.err
    assert ran.err.count("Error:") == 1
    assert "Next:" in ran.err
    for word in words:
        assert word in ran.err
    for secret in SPOKEN:
        assert secret not in ran.out + ran.err


@pytest.mark.parametrize("command", READING, ids=lambda c: c[0])
def test_a_wrong_password(pair: Lab, command: list[str]) -> None:
    url = f"mysql://replfix:{PASSWORD}@127.0.0.1:{pair.replica.port}"
    fails(replfix(*command, "--replica", url), 6, "rejected the login of 'replfix'")


def test_a_wrong_password_for_the_source(pair: Lab) -> None:
    from replfix.lab import scenarios

    scenarios.find("duplicate-primary").stage(pair)
    ran = replfix(
        "diagnose",
        "--replica",
        pair.replica.url(),
        "--source",
        f"mysql://replfix:{PASSWORD}@127.0.0.1:{pair.source.port}",
    )
    assert ran.code == 3  # what the replica itself tells is told
    for words in ("1062", "shop.orders", "The source:", "rejected the login"):
        assert words in ran.out
    assert PASSWORD not in ran.out + ran.err


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as held:  # bound, not listening: connections are refused, and nobody else gets it
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.mark.parametrize("command", READING, ids=lambda c: c[0])
def test_a_host_that_does_not_answer(closed_port: int, command: list[str]) -> None:
    fails(
        replfix(*command, "--replica", f"mysql://u:{PASSWORD}@127.0.0.1:{closed_port}"), 6, f"127.0.0.1:{closed_port}"
    )


def test_a_source_that_does_not_answer(pair: Lab, closed_port: int) -> None:
    from replfix.lab import scenarios

    scenarios.find("duplicate-primary").stage(pair)
    url = f"mysql://u:{PASSWORD}@127.0.0.1:{closed_port}"
    ran = replfix("diagnose", "--replica", pair.replica.url(), "--source", url, "--json")
    assert (ran.code, ran.document["error"]["errno"]) == (3, 1062)
    assert ran.document["transaction"]["gtid"] in ran.document["error"]["message"]  # out of the relay log
    assert any("The source:" in unknown for unknown in ran.document["unknowns"])
    ran = replfix("status", "--replica", pair.replica.url(), "--source", url, "--json")
    assert ran.code == 3
    assert ran.document["replicas"][0]["channels"][0]["errant_gtid_set"] is None


def test_a_host_that_is_no_replica(pair: Lab) -> None:
    for command in ("status", "diagnose"):
        fails(replfix(command, "--replica", pair.source.url()), 2, "is not a replica")
    fails(replfix("resolve", "--replica", pair.source.url(), "--yes"), 2, "is not a replica")


def test_doctor_says_that_a_host_is_no_replica(pair: Lab) -> None:
    ran = replfix("doctor", "--replica", pair.source.url(), "--json")
    assert ran.code == 6
    assert {c["code"]: c["verdict"] for c in ran.document["checks"]}["is-replica"] == "failed"


def test_a_healthy_replica(pair: Lab) -> None:
    url = ("--replica", pair.replica.url())
    ran = replfix("resolve", *url, "--yes", "--json")
    assert (ran.code, ran.document["outcome"], ran.document["rounds"]) == (0, "nothing_to_do", [])
    ran = replfix("diagnose", *url, "--json")
    assert (ran.code, ran.document["healthy"], ran.document["conflicts"]) == (0, True, [])
    assert replfix("status", *url).code == 0


def test_a_channel_that_is_not_there(pair: Lab) -> None:
    fails(replfix("diagnose", "--replica", pair.replica.url(), "--channel", "nope"), 2, "no channel 'nope'")


def test_a_channel_that_somebody_stopped(pair: Lab) -> None:
    with pair.replica.session() as session:
        session.execute("STOP REPLICA SQL_THREAD")
    url = ("--replica", pair.replica.url())
    fails(replfix("diagnose", *url), 3, "stopped without an error", "START REPLICA")
    ran = replfix("resolve", *url, "--yes", "--json")
    assert (ran.code, ran.document["outcome"]) == (4, "needs_human")
    with pair.replica.session() as session:
        assert session.query("SHOW REPLICA STATUS")[0]["Replica_SQL_Running"] == "No"


def test_a_source_that_purged_what_the_replica_needs_next(pair: Lab) -> None:
    """The receiver's error 1236: nothing that a repair of rows could mend."""
    with pair.replica.session() as session:
        session.execute("STOP REPLICA")
    with pair.source.session() as session:
        session.execute("CREATE DATABASE lost")
        session.execute("FLUSH BINARY LOGS")
        last = session.query("SHOW BINARY LOGS")[-1]["Log_name"]
        for _ in range(200):  # a file that the replica's ended connection still reads is not purged
            session.query(f"PURGE BINARY LOGS TO '{last}'")
            if session.query("SHOW BINARY LOGS")[0]["Log_name"] == last:
                break
            session.query("DO SLEEP(0.05)")
    with pair.replica.session() as session:
        session.execute("START REPLICA")
        for _ in range(200):
            if session.query("SHOW REPLICA STATUS")[0]["Last_IO_Errno"] not in ("0", None):
                break
            session.query("DO SLEEP(0.05)")
    url = ("--replica", pair.replica.url(), "--source", pair.source.url())
    ran = replfix("diagnose", *url)
    assert ran.code == 3
    for words in ("error 13114", "The replica lacks", ":1, which the source has purged", "no longer has the binlog"):
        assert words in ran.out
    ran = replfix("resolve", *url, "--yes", "--json")
    assert (ran.code, ran.document["outcome"]) == (4, "needs_human")
    ran = replfix("doctor", *url, "--json")
    assert ran.code == 6
    assert {c["code"]: c["verdict"] for c in ran.document["checks"]}["source-binlog-retention"] == "failed"


def test_a_source_that_purged_the_failing_transaction(pair: Lab) -> None:
    """The replica has it in its relay log, the source has no binlog of it any more: diagnosed from there."""
    from replfix.lab import scenarios

    scenarios.find("duplicate-primary").stage(pair)
    with pair.source.session() as session:
        session.execute("FLUSH BINARY LOGS")
        last = session.query("SHOW BINARY LOGS")[-1]["Log_name"]
        session.query(f"PURGE BINARY LOGS TO '{last}'")
    url = ("--replica", pair.replica.url(), "--source", pair.source.url())
    ran = replfix("diagnose", *url, "--json")
    assert ran.code == 3
    assert ran.document["transaction"]["gtid"] in ran.document["error"]["message"]
    assert [c["kind"] for c in ran.document["conflicts"]] == ["duplicate"]
    assert any("purged" in unknown for unknown in ran.document["unknowns"])


def test_names_urls_and_files_that_are_wrong(tmp_path: Path) -> None:
    url = f"mysql://u:{PASSWORD}@127.0.0.1:99999"
    fails(replfix("diagnose", "--replica", url), 2, "URL")
    fails(replfix("diagnose", "--replica", f"postgres://u:{PASSWORD}@h"), 2, "scheme")
    fails(replfix("diagnose", f"mysql://u:{PASSWORD}@h"), 2, "--replica")
    fails(replfix("lab", "break", "duplicate-primry"), 2, "duplicate-primary")
    fails(replfix("resolve", "--strategy", "hope", "--replica", "mysql://u@127.0.0.1:1"), 2, "source-wins")
    fails(replfix("nonsense"), 2, "nonsense")
    config = tmp_path / "replfix.toml"
    config.write_text('[replicas.db2]\nhost = "127.0.0.1"\nprot = 3306\n')
    fails(replfix("status", "--config", str(config)), 2, "prot", "port")
    config.write_text('[replicas.db2\nhost = "127.0.0.1"\n')
    fails(replfix("status", "--config", str(config)), 2, "line 1")
    config.write_text('[replicas.db2]\nhost = "127.0.0.1"\n')
    fails(replfix("status", "db3", "--config", str(config)), 2, "db3", "db2")
    fails(replfix("status", "--config", str(tmp_path / "none.toml")), 2, "none.toml")


def test_with_json_an_error_is_the_one_document(closed_port: int) -> None:
    ran = replfix("diagnose", "--replica", f"mysql://u:{PASSWORD}@127.0.0.1:{closed_port}", "--json")
    assert ran.document["schema"] == "replfix.error/1"
    assert ran.document["error"]["exit_code"] == ran.code == 6


def test_missing_privileges_are_named_with_their_grant(pair: Lab) -> None:
    with pair.source.session() as session:
        session.execute("CREATE USER 'half'@'%' IDENTIFIED BY 'half'")
        session.execute("GRANT SELECT, REPLICATION CLIENT ON *.* TO 'half'@'%'")
    pair.wait_until_applied()
    url = f"mysql://half:half@127.0.0.1:{pair.replica.port}"
    source = ("--source", f"mysql://127.0.0.1:{pair.source.port}")
    ran = replfix("doctor", "--replica", url, *source, "--json")
    assert ran.code == 6
    fixes = [c["fix"] for c in ran.document["checks"] if c["verdict"] == "failed"]
    on_replica, on_source = [fix for fix in fixes if fix]  # each time all of them at once
    assert "BINLOG_ADMIN" in on_replica and "TO `half`@`%`;" in on_replica  # noqa: PT018
    assert "GRANT REPLICATION SLAVE ON *.* TO `half`@`%`;" in on_source
    assert not any("REPLICATION CLIENT" in fix for fix in fixes)
    ran = replfix("doctor", "--replica", pair.replica.url(), *source, "--json")
    assert [c for c in ran.document["checks"] if c["verdict"] != "ok"] == []
    assert replfix("doctor", "--replica", pair.replica.url(ADMIN), *source).code == 0
