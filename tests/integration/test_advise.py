"""The advisor on real servers: every staged fault is found, and nothing that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from replfix.lab import topology
from replfix.lab.topology import Lab
from tests.integration.advised import CASES, Case
from tests.integration.running import Ran, replfix

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def three(lab_state: Path) -> Iterator[Lab]:
    """Three servers of MySQL, which the cases connect as they need them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(lab_state))
        lab = topology.up("advised", topology="ring")
    yield lab
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(lab_state))
        topology.down("advised")


def advise(lab: Lab, *args: str) -> Ran:
    return replfix("advise", "--config", str(lab.config_file), *args)


def found(document: dict[str, Any]) -> list[tuple[str, str, str | None, str | None]]:
    return [(f["code"], f["severity"], f["node"], f["table"]) for f in document["findings"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_found(case: Case, three: Lab) -> None:
    servers = case.arrange(three.servers)
    case.stage(servers)
    ran = advise(three, *(server.name for server in servers), "--json")
    assert set(found(ran.document)) == case.expected
    assert ran.document["unknowns"] == []
    assert ran.code == (3 if any(severity != "info" for _, severity, *_ in case.expected) else 0)
    assert all(f["evidence"] and f["message"] for f in ran.document["findings"])
