"""Which seeds run on which server, and what the terminal says of them in the end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import selected
from tests.convergence import kept, refusals
from tests.convergence.account import Account
from tests.convergence.variation import FIRST
from tests.convergence.worlds import KINDS

SEEDS = {
    "mysql": (*range(6), *range(FIRST + 1, FIRST + 7)),
    "mariadb-10.11": (*range(3), *range(FIRST + 2, FIRST + 5), FIRST + 25),
    "mariadb-11.8": (*range(10, 13), *range(FIRST + 6, FIRST + 9), FIRST + 24),
}
"""26 altogether, beside those that were kept; more than half of them with variations."""

FEW = {"wild": 3, "circles": 1, "ring": 1, "chain": 1, "fan-in": 1, "richer": 1}
"""Of the other kinds of worlds, so many on each server."""

ENOUGH = 20
"""Of fewer seeds, the share of refusals says nothing."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        wanted = [(server, seed) for server, seeds in SEEDS.items() for seed in seeds]
        for kind in (kind for kind in KINDS if kind.name in FEW):
            for n, server in enumerate(SEEDS):
                wanted += [(server, kind.first + 10 * n + more) for more in range(FEW[kind.name])]
        wanted += [pair for pair in kept.seeds() if pair not in wanted]
        chosen = [pair for pair in wanted if pair[0] in selected(metafunc.config)]
        metafunc.parametrize(("server", "seed"), [_grouped(*pair) for pair in chosen])


def _grouped(server: str, seed: int) -> Any:
    """As for the other tests: MariaDB's stay in one process each, with -n."""
    return pytest.param(server, seed, marks=[] if server == "mysql" else [pytest.mark.xdist_group(server)])


def _account(session: pytest.Session) -> Account:
    account = Account()
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    for reports in reporter.stats.values() if reporter is not None else ():
        for report in reports:
            if getattr(report, "when", "") == "call":
                account.add_all(value for name, value in report.user_properties if name == "convergence")
    return account


def pytest_sessionfinish(session: pytest.Session) -> None:
    account = _account(session)
    if account.seeds >= ENOUGH and account.share_refused > refusals.MOST:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    account = _account(terminalreporter._session)
    if account.seeds:
        terminalreporter.write_sep("-", "convergence")
        terminalreporter.write_line(account.in_short())
        if account.seeds >= ENOUGH and account.share_refused > refusals.MOST:
            terminalreporter.write_line(f"More than {refusals.MOST:.0%} were refused: that is too many.", red=True)
