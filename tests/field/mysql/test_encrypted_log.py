"""MySQL with ``binlog_encryption=ON``, source and replica: the server sends its log decrypted, and its relay log is not read from the file.

The keyring is a component, which a manifest beside the server program loads: this server is a program of its own."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from replfix.lab import topology
from replfix.lab.provision.software import Software
from replfix.lab.replicate import wait_until_received, wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from tests.conftest import Labs
from tests.following.follower import CAUGHT_UP, Follower
from tests.following.receivers import purge_all

ENCRYPTED = bytes.fromhex("fd62696e")  # where a plain log has fe62696e
TABLE = ("CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(20))")


@pytest.fixture(scope="module")
def servers(labs: Labs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    provision = labs("mysql").provision
    assert isinstance(provision, Software)
    here = tmp_path_factory.mktemp("encrypted")
    program = here / "mysqld"
    program.write_text(_script(provision, here))
    program.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(here))  # of this program, nothing is kept
        patch.setenv("XDG_STATE_HOME", str(here))
        try:
            yield topology.up("tests-encrypted", 1, mysqld=str(program))
        finally:
            topology.down("tests-encrypted")


@pytest.fixture
def encrypted(lab: Lab, servers: Lab) -> Lab:  # lab: by it the tests that need MySQL are known
    servers.reset()
    (servers.directory / "audit.db").unlink(missing_ok=True)
    return servers


def _script(provision: Software, here: Path) -> str:
    """A server that encrypts its logs: a copy of the program with a manifest beside it, and a directory of its plugins."""
    *loader, program = provision.mysqld
    own, plugins = here / "sbin", here / "plugin"
    own.mkdir()
    shutil.copy(program, own / "mysqld")
    (own / "mysqld.my").write_text('{"components": "file://component_keyring_file"}')
    theirs = next(Path(o.partition("=")[2]) for o in provision.options if o.startswith("--plugin-dir="))
    shutil.copytree(theirs, plugins)
    # One file for each server: it is looked for in the data directory.
    (plugins / "component_keyring_file.cnf").write_text('{"read_local_config": true}')
    plain = shlex.join([*provision.mysqld, "--no-defaults", *provision.options])
    encrypting = shlex.join([*loader, str(own / "mysqld"), "--no-defaults", *provision.options])
    return f"""#!/bin/sh
shift  # --no-defaults
for option; do case $option in --datadir=*) data=${{option#--datadir=}};; esac; done
case "$*" in *--initialize*|*--version*|"") exec {plain} "$@";; esac
echo '{{"path": "'$data.keyring'", "read_only": false}}' > $data/component_keyring_file.cnf
exec {encrypting} "$@" --plugin-dir={plugins} --binlog-encryption=ON
"""


def _conflict(lab: Lab) -> None:
    with lab.source.session() as session:
        for statement in TABLE:
            session.execute(statement)
    lab.wait_until_applied()
    write_locally(lab.replica, "INSERT INTO d.t VALUES (3, 'local')", logged=False)
    with lab.source.session() as session:
        for number in (3, 4):
            session.execute(f"INSERT INTO d.t VALUES ({number}, 'source')")
    wait_until_stopped(lab.replica)
    wait_until_received(lab.source, lab.replica)


def test_a_conflict_behind_an_encrypted_log(encrypted: Lab) -> None:
    _conflict(encrypted)
    assert (encrypted.source.data / "binlog.000001").read_bytes()[:4] == ENCRYPTED
    followed = Follower(encrypted).follow()
    assert (followed.end, followed.faults, followed.resolved) == (CAUGHT_UP, [], 1), followed
    with encrypted.replica.session() as session:
        assert session.rows("SELECT id, v FROM d.t ORDER BY id") == [("3", "source"), ("4", "source")]


def test_an_encrypted_relay_log_is_not_read(encrypted: Lab) -> None:
    """The source has purged what failed: only the replica's encrypted relay log has it, and that is said."""
    _conflict(encrypted)
    purge_all(encrypted.source)
    document = Follower(encrypted).diagnose()
    assert document["transaction"] is None or document["transaction"]["gtid"] is None or not document["conflicts"]
    assert any("encrypted" in unknown for unknown in document["unknowns"]), document["unknowns"]
