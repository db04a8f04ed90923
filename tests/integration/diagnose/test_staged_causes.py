"""Which cause comes first for conflicts whose cause is known, because it was staged. The summary shows the matrix."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from replfix.core.connection.endpoint import Endpoint, Secret
from replfix.core.diagnosis.cause import Confidence
from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.lab.lab_accounts import REPLFIX
from replfix.lab.lab_state import LabServer
from replfix.lab.topology import Lab
from replfix.mysql.server import MysqlServer
from replfix.workflow.investigate.investigation import investigate
from tests.integration.stagings import STAGED, STAGINGS, Staging


def diagnosed(lab: Lab) -> Diagnosis:
    """By the account that has only what docs/privileges.md lists."""
    with ExitStack() as stack:

        def opened(server: LabServer) -> MysqlServer:
            endpoint = Endpoint(server.host, server.port, REPLFIX.name, Secret(REPLFIX.password))
            found = MysqlServer(endpoint)
            stack.callback(found.close)
            return found

        source = opened(lab.source)
        diagnosis = investigate(opened(lab.replica), lambda _: source, None)
    assert diagnosis is not None
    return diagnosis


@pytest.mark.parametrize("staging", STAGINGS, ids=lambda s: s.name)
def test_a_staged_cause(pair: Lab, staging: Staging, record_property: Callable[[str, object], None]) -> None:
    staging.stage(pair)
    found = diagnosed(pair)
    said = "\n".join(f"{c.code} ({c.confidence}): {c.summary} {' '.join(c.evidence)}" for c in found.causes)
    said += "\n" + "\n".join(found.unknowns)
    first = found.causes[0] if found.causes else None
    right = {staging.cause, *staging.also}
    given, confidence = (first.code, str(first.confidence)) if first else ("none", "")
    record_property(STAGED, (staging.cause, "✓" if given in right else "✗", given, confidence))
    assert staging.cause in [c.code for c in found.causes], said
    assert first is not None
    assert first.code in right, said
    sure = [c.code for c in found.causes if c.confidence is Confidence.HIGH]
    assert set(sure) <= right | WHAT, said
    print(said)


WHAT = {"missing-row", "unknown-author", "two-rows", "row-differs"}
"""How the rows stand, which is true whatever the reason."""
