"""A trail on a file system of 1 MiB: what does not fit is refused before anything is written, on record or on a server."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from replfix.audit import SqlTrail
from replfix.lab.proof import snapshot
from replfix.lab.replicate import wait_until_stopped
from replfix.lab.topology import Lab
from tests.integration.resolve.test_strategies import write, write_locally
from tests.integration.running import replfix

MIB = 1 << 20


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """Really that small."""
    directory = tmp_path / "tiny"
    directory.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", directory], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"NOT TESTED HERE: no file system of 1 MiB may be mounted ({mounted.stderr.strip()})")
    try:
        yield directory
    finally:
        subprocess.run(["umount", directory], check=True)


def free(directory: Path) -> int:
    there = os.statvfs(directory)
    return there.f_frsize * there.f_bfree


def stopped_on(lab: Lab, row: int) -> None:
    """A duplicate whose row on the replica has so many bytes."""
    write(lab.source, "CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY, v LONGTEXT)")
    lab.wait_until_applied()
    write_locally(lab.replica, f"INSERT INTO d.t VALUES (1, REPEAT('x', {row}))")
    write(lab.source, "INSERT INTO d.t VALUES (1, 'source')")
    wait_until_stopped(lab.replica)


@pytest.mark.parametrize("too_large", ["the rows", "the rest"])
def test_what_does_not_fit_is_refused_first(any_pair: Lab, tiny: Path, too_large: str) -> None:
    lab = any_pair
    stopped_on(lab, 400_000 if too_large == "the rows" else 10)
    config, trail = tiny.parent / "tiny.toml", tiny / "audit.db"
    kept = lab.config_file.read_text().split("[audit]")[0]
    config.write_text(f'{kept}\n[audit]\nurl = "sqlite:///{trail}"\n')
    resolve = ("resolve", "replica1", "--yes", "--config", str(config))
    if too_large == "the rest":
        (tiny / "filling").write_bytes(bytes(free(tiny) - 200_000))
        doctor = replfix("doctor", "replica1", "--config", str(config))
        assert "bytes left" in doctor.out
    before = snapshot(lab.replica)
    ran = replfix(*resolve)
    assert ran.code == 4, ran
    assert "bytes left" in ran.err
    assert "Nothing was changed" in ran.err
    assert snapshot(lab.replica) == before
    assert list(SqlTrail.open(f"sqlite:///{trail}").records()) == []

    (tiny / "filling").unlink(missing_ok=True)
    subprocess.run(["mount", "-o", "remount,size=4m", tiny], check=True)
    ran = replfix(*resolve)
    assert ran.code == 0, ran
    assert free(tiny) > 0
    with lab.replica.session() as session:
        assert session.rows("SELECT * FROM d.t") == [("1", "source")]


def test_what_is_reckoned_is_enough(tmp_path: Path) -> None:
    """The file after a whole story, against what was asked for."""
    from replfix.audit.trail import MARGIN_BYTES, _grown
    from replfix.core.trail.audit_record import RecordKind, canonical

    for size in (0, 5_000, 100_000, 3 * MIB):
        path = tmp_path / f"{size}.db"
        trail = SqlTrail.open(f"sqlite:///{path}")
        payload = {"rows": "é" * (size // 2)}
        for kind, told in (
            (RecordKind.SETTINGS, {"v": 1}),
            (RecordKind.INTENT, payload),
            (RecordKind.SETTINGS_RESTORED, {"v": 1}),
            (RecordKind.OUTCOME, {"detail": "x" * 4000}),
        ):
            trail.append(kind, incident="i", replica="r", channel="", payload=told)
        grown = path.stat().st_blocks * 512
        assert grown < MARGIN_BYTES / 2 + _grown(len(canonical(payload).encode()))
