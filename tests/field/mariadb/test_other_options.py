"""What only servers with other options meet: a host that is blocked (1129), and statements about accounts under --skip-grant-tables (1290)."""

from __future__ import annotations

import shlex
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from replfix.lab import topology
from replfix.lab.lab_state import HOST
from replfix.lab.provision.software import Software
from replfix.lab.replicate import wait_until_stopped
from replfix.lab.topology import Lab
from tests.conftest import Labs
from tests.following.follower import CAUGHT_UP, Follower
from tests.following.receivers import refused
from tests.following.relay import relay

ANOTHER = "127.0.0.2"
"""The loopback's, and yet no address that a server takes for its own host."""


@pytest.fixture
def with_options(any_server: str, labs: Labs, tmp_path: Path) -> Iterator[Lab | None]:
    """A source that keeps hosts out, and a replica that asks for no privileges."""
    provision = labs(any_server).provision
    assert isinstance(provision, Software)
    if provision.flavour.product != "MariaDB":
        yield None  # MySQL takes no connections under --skip-grant-tables
        return
    program = tmp_path / "sbin" / "mariadbd"
    program.parent.mkdir()
    program.write_text(_script(provision))
    program.chmod(0o755)
    share = next(Path(o.partition("=")[2]) for o in provision.options if o.startswith("--lc-messages-dir="))
    (tmp_path / "share").mkdir()
    (tmp_path / "share" / "mysql").symlink_to(share)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path))  # of this program, nothing is kept
        patch.setenv("XDG_STATE_HOME", str(tmp_path))
        try:
            yield topology.up("tests-options", 1, server=any_server, mysqld=str(program))
        finally:
            topology.down("tests-options")


def _script(provision: Software) -> str:
    plain = shlex.join([*provision.mysqld, "--no-defaults", *provision.options])
    return f"""#!/bin/sh
[ "$1" = --no-defaults ] && shift
case "$*" in *--bootstrap*|*--version*|"") exec {plain} "$@";; esac
case "$*" in *replica1*) exec {plain} "$@" --skip-grant-tables;; esac
exec {plain} "$@" --skip-name-resolve=OFF --max-connect-errors=2
"""


def test_a_blocked_host_is_let_in_and_an_option_is_named(with_options: Lab | None) -> None:
    if with_options is None:
        return
    lab = with_options
    with relay(lab.source.port, asks_from=ANOTHER) as port:
        with lab.replica.session() as session:
            session.execute("STOP REPLICA")
            session.execute(f"CHANGE MASTER TO MASTER_PORT = {port}")
        for _ in range(4):
            with socket.create_connection((HOST, lab.source.port), source_address=(ANOTHER, 0)) as stranger:
                stranger.recv(200)  # and leaves
        with lab.replica.session() as session:
            session.execute("START REPLICA")
        refused(lab)
        followed = Follower(lab).follow()
        assert (followed.end, followed.faults, followed.remedies) == (CAUGHT_UP, [], 1), followed
        with lab.source.session() as session:
            session.execute("CREATE USER app")
        assert wait_until_stopped(lab.replica).errno == 1290
        said = [remedy["text"] for remedy in Follower(lab).diagnose()["advice"]]
        assert "Restart the server without it" in said[-1], said
