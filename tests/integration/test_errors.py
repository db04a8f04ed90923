"""Every error that stops an applier, staged on real servers."""

from __future__ import annotations

import pytest

from replfix.core.known_error import families, family_of
from replfix.lab.topology import Lab
from tests.integration.broken import BROKEN


@pytest.mark.parametrize("name", BROKEN)
def test_the_server_stops_with_the_error(pair: Lab, name: str) -> None:
    broken = BROKEN[name]
    error = broken.stage(pair)
    assert error.errno == broken.errno
    assert family_of(error.errno) is not None


def test_the_names_are_the_servers_own(lab: Lab) -> None:
    with lab.replica.session() as session:
        names = {
            int(row["number"]): row["name"]
            for row in session.query(
                "SELECT ERROR_NUMBER AS number, ERROR_NAME AS name "
                "FROM performance_schema.events_errors_summary_global_by_error WHERE ERROR_NUMBER IS NOT NULL"
            )
        }
    known = {number: name for family in families() for number, name in family.errors.items()}
    # Errors of the client library are in no table of the server; 1594 and 1677 are those of older servers.
    assert {number for number in known if number not in names} == {
        n for n in known if 2000 <= n < 3000 or n in (1594, 1677)
    }
    assert {n: known[n] for n in known if n in names} == {n: names[n] for n in known if n in names}
