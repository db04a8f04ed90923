"""A receiver that cannot read its source: what is said of each error is true, and what is printed brings it back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from replfix.lab.flavours import speaking
from replfix.lab.lab_accounts import REPL
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from tests.following.follower import Follower, ways
from tests.following.receivers import break_receiver, put_back
from tests.waiting import until


def limit(session: Session) -> str:
    return f"{'slave' if session.is_mariadb else 'replica'}_max_allowed_packet"


@pytest.fixture
def channel(any_pair: Lab) -> Iterator[Lab]:
    yield any_pair
    put_back(any_pair)
    any_pair.wait_until_applied()


def broken(
    lab: Lab, on_source: tuple[str, ...] = (), on_replica: tuple[str, ...] = (), then: tuple[str, ...] = ()
) -> Follower:
    break_receiver(lab, on_source, on_replica, then)
    return Follower(lab)


def do_as_printed(lab: Lab, follower: Follower) -> None:
    """The first way, with all of its steps. The receiver shows its last error until it is connected again."""
    for step in ways(follower.diagnose())[0]:
        assert follower.run(step["where"], step["sql"]) == []
    with lab.replica.session() as session:

        def connected() -> bool:
            state = speaking(session).channel_state(session)
            return state is not None and state.receiver_running and not state.receiver_message

        until(connected, "the receiver does not connect", seconds=60)
    lab.wait_until_applied()


def said(document: dict[str, Any]) -> str:
    return " ".join(remedy["text"] for remedy in document["advice"])


def test_two_servers_with_one_id(channel: Lab) -> None:
    with channel.source.session() as session:
        same = session.scalar("SELECT @@global.server_id")
    follower = broken(channel, on_replica=(f"SET GLOBAL server_id = {same}",))
    do_as_printed(channel, follower)
    with channel.replica.session() as session:
        now = session.scalar("SELECT @@global.server_id")
    assert now not in (same, "0")
    with channel.source.session() as session:
        session.execute("CREATE DATABASE d")
    channel.wait_until_applied()


def test_an_account_without_its_privilege(channel: Lab) -> None:
    follower = broken(channel, on_source=(f"REVOKE REPLICATION SLAVE ON *.* FROM {REPL.name}@'%'",))
    document = follower.diagnose()
    assert document["error"]["page"] == "docs/errors/account-refused.md"
    do_as_printed(channel, follower)
    channel.wait_until_applied()


def test_a_locked_account_is_named(channel: Lab) -> None:
    follower = broken(channel, on_source=(f"ALTER USER {REPL.name}@'%' ACCOUNT LOCK",))
    document = follower.diagnose()
    assert document["error"]["page"] == "docs/errors/account-refused.md"
    assert f"has locked the account {REPL.name}" in said(document)


def test_a_source_that_wants_tls(channel: Lab) -> None:
    with channel.source.session() as session:
        if session.is_mariadb:  # its lab has no certificate
            return
    follower = broken(channel, on_source=("SET GLOBAL require_secure_transport = ON",))
    do_as_printed(channel, follower)
    channel.wait_until_applied()


def test_a_packet_that_is_too_large_for_the_replica(channel: Lab) -> None:
    """1153, on MySQL 13125. On MariaDB the source's limit alone was raised, and the receiver stopped again."""
    with channel.replica.session() as session:
        if not session.is_mariadb:  # its STOP REPLICA waits for the rest of the transaction, for a minute
            return
        small = f"SET GLOBAL {limit(session)} = 1048576"
    large = ("CREATE DATABASE d", "CREATE TABLE d.t (b LONGTEXT)", "INSERT INTO d.t VALUES (REPEAT('x', 3000000))")
    follower = broken(channel, on_replica=(small,), then=large)
    assert follower.diagnose()["error"]["errno"] in (1153, 13125)
    do_as_printed(channel, follower)
