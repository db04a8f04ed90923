"""Which incidents are followed in a test run, and on which servers; ``make follow`` takes all of them on each."""

from __future__ import annotations

import pytest

from tests.conftest import by_server
from tests.following.catalogue import INCIDENTS

ONE_OF_A_KIND = "mariadb-10.11"
"""Left out beside a newer MariaDB: the families of errors are the same."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "incident" not in metafunc.fixturenames:
        return
    chosen = by_server(metafunc.config)
    if len(chosen) > 1:
        chosen = [server for server in chosen if server.values[0] != ONE_OF_A_KIND]
    metafunc.parametrize(
        ("server", "incident"),
        [
            pytest.param(*server.values, incident, marks=server.marks, id=f"{server.values[0]}-{incident.name}")
            for server in chosen
            for incident in INCIDENTS
            if incident.in_every_run and server.values[0].startswith(incident.only)
        ],
    )
