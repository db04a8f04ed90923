"""A statement about an account stops the replica, or was written there by hand: no password nor its hash leaves replfix."""

from __future__ import annotations

from pathlib import Path

import pytest

from replfix.core.binlog.secrets import MASK
from replfix.lab.lab_accounts import ADMIN
from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from replfix.present.report import incident_report
from tests.integration.diagnose.test_errors import diagnosed
from tests.integration.running import replfix

STATEMENT = "CREATE USER stray IDENTIFIED BY 'Quokka''7'"


def hashes(lab: Lab) -> list[bytes]:
    """What the source keeps of the password, and the password: the ends of it, which no escape changes."""
    with lab.source.session() as session:
        column = "Password" if session.is_mariadb else "authentication_string"
        kept = str(session.scalar(f"SELECT RIGHT({column}, 30) FROM mysql.user WHERE User = 'stray'"))
    assert len(kept) == 30
    return [kept.encode(), b"Quokka"]


def test_no_face_shows_an_authentication_string(any_pair: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    # MariaDB's skip counter takes SUPER.
    where = ("--replica", any_pair.replica.url(ADMIN), "--source", any_pair.source.url(ADMIN))
    write_locally(any_pair.replica, "CREATE USER stray IDENTIFIED BY 'Quokka8'")
    with any_pair.source.session() as session:
        session.execute(STATEMENT)
    wait_until_stopped(any_pair.replica)
    secrets = hashes(any_pair)
    said = [replfix(*command, *where) for command in (
        ("status", "--json"), ("diagnose",), ("diagnose", "--json"), ("errant",), ("errant", "--json"),
        ("resolve", "--yes"), ("resolve", "--strategy", "skip", "--dry-run"),
        ("resolve", "--strategy", "skip", "--yes", "--json"),     )]  # fmt: skip
    skipped = said[-1].document
    assert skipped.get("outcome") == "resolved", said[-1]
    assert MASK in skipped["rounds"][0]["left_out_statement"]
    said.append(replfix("audit", "list", "--json"))
    said.append(replfix("audit", "show", skipped["audit_ids"][0], "--json"))
    shown = "".join(ran.out + ran.err for ran in said).encode()
    trail = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert [secret for secret in secrets if secret in shown + trail] == []


def test_the_report_masks_it_too(any_pair: Lab) -> None:
    write_locally(any_pair.replica, "CREATE USER stray IDENTIFIED BY 'Quokka8'", logged=False)
    with any_pair.source.session() as session:
        session.execute(STATEMENT)
    wait_until_stopped(any_pair.replica)
    found = diagnosed(any_pair)
    assert [secret for secret in hashes(any_pair) if secret in incident_report("replica1", found).encode()] == []
