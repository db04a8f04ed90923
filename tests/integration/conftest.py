"""Real servers, broken by every scenario in turn; and the confusion matrix of the staged causes, at the end."""

from __future__ import annotations

from collections import Counter

import pytest

from replfix.lab import scenarios
from replfix.lab.scenario import Scenario
from tests.integration.stagings import STAGED


@pytest.fixture(params=scenarios.names())
def scenario(request: pytest.FixtureRequest) -> Scenario:
    """Every scenario in turn."""
    return scenarios.find(request.param)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was staged, a line each, and what came first in the diagnosis, how often. A ``✗`` is neither the staged
    cause nor one that is as true."""
    counted: Counter[tuple[str, str, str, str]] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "call":
                counted.update(tuple(value) for name, value in report.user_properties if name == STAGED)
    if not counted:
        return
    terminalreporter.section("staged causes and what came first")
    for (cause, mark, given, confidence), times in sorted(counted.items()):
        terminalreporter.write_line(f"{mark} {cause:24} {given:24} {confidence:8} {times:3}")
