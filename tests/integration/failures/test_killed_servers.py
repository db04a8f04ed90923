"""Servers that are killed (kill -9) in the middle of a resolution and started again; then the next command, then the judge."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from replfix.lab import processes
from replfix.lab.lab_state import LabServer
from replfix.lab.topology import Lab
from tests.conftest import Labs
from tests.integration.aftermath import Ground, ground_of
from tests.integration.failures.test_cut_wires import RESOLVE, configured
from tests.integration.proxy import Break, Proxy
from tests.waiting import until

# At which packet, and whether that still arrives.
REPLICA = {
    "rehearsing": ("answer 1 to Query BEGIN", Break.LAST),
    "asked to commit": ("Query COMMIT", Break.LAST),
    "asked to go on": ("Query START REPLICA SQL_THREAD UNTIL", Break.LAST),
    "going on": ("answer 1 to Query START REPLICA SQL_THREAD UNTIL", Break.DROP),
}


@pytest.fixture
def ground(labs: Labs, pair: Lab) -> Iterator[Ground]:
    with ground_of(pair) as made:
        yield made
    labs("mysql")


def kill(server: LabServer) -> None:
    assert server.process is not None
    process = server.process
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: not processes.alive(process, server.data))


def past_what_it_left(replica: LabServer) -> bool:
    """A server that is killed while its applier starts can leave a file behind on which that stops: docs/errors/temporary-directory.md."""
    with replica.session() as session:
        if session.query("SHOW REPLICA STATUS")[0]["Last_SQL_Errno"] != "1":
            return False
        where = Path(str(session.scalar("SELECT @@replica_load_tmpdir")))
        (where / f"SQL_LOAD-{session.scalar('SELECT @@server_uuid')}").unlink()
        session.execute("START REPLICA SQL_THREAD")
    return True


@pytest.mark.parametrize("moment", REPLICA)
def test_the_replica(ground: Ground, labs: Labs, tmp_path: Path, moment: str) -> None:
    at, how = REPLICA[moment]
    replica = ground.lab.replica
    conflict = ground.conflict()
    with Proxy((replica.host, replica.port), at, how, lambda: kill(replica)) as proxy:
        ran = ground.command(*RESOLVE, config=configured(ground, tmp_path, {"replicas": proxy.port}))
        assert ran.code == 5, (ran, "it cannot put super_read_only back, or had committed")
    labs("mysql")
    with ground.connected_anew():
        recovered = ground.command("recover", "replica1", "--json")
        assert recovered.code == 0, recovered
        ground.assert_settings()
        ground.assert_told_truly(conflict)
        ground.assert_kept(set(conflict.local) - set(ground.rows()))
        # Its channel has been started with it: past the transaction, or up to the same error.
        until(lambda: ground.stopped() or conflict.later in ground.rows())
        if past_what_it_left(replica):
            until(lambda: ground.stopped() or conflict.later in ground.rows())
        resolved = ground.command(*RESOLVE)
        assert resolved.code == 0, resolved
        ground.assert_healed(conflict)
        ground.assert_settings()
        ground.assert_whole()


def test_the_source_while_it_sends_the_transaction(ground: Ground, labs: Labs, tmp_path: Path) -> None:
    at, how = "answer 2 to Binlog dump GTID", Break.HALVE
    source = ground.lab.source
    conflict = ground.conflict()
    with Proxy((source.host, source.port), at, how, lambda: kill(source)) as proxy:
        ran = ground.command(*RESOLVE, config=configured(ground, tmp_path, {"sources": proxy.port}))
        assert ran.code == 6, ran
    assert "Next:" in ran.err
    ground.assert_settings()
    assert set(conflict.local) <= set(ground.rows())
    labs("mysql")
    with ground.connected_anew():
        until(ground.receiving)
        resolved = ground.command(*RESOLVE)
        assert resolved.code == 0, resolved
        ground.assert_healed(conflict)
        ground.assert_settings()
        ground.assert_whole()
