"""Real servers, broken by every scenario in turn."""

from __future__ import annotations

import pytest

from replfix.lab import scenarios
from replfix.lab.scenario import Scenario


@pytest.fixture(params=scenarios.names())
def scenario(request: pytest.FixtureRequest) -> Scenario:
    """Every scenario in turn."""
    return scenarios.find(request.param)
