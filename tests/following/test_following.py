"""Every remedy that is printed for the incidents of the catalogue is followed to the letter."""

from __future__ import annotations

from contextlib import nullcontext

from tests.conftest import Labs
from tests.following.__main__ import every_way
from tests.following.follower import CAUGHT_UP
from tests.following.incident import Incident


def test_every_remedy_leads_where_it_says(labs: Labs, server: str, incident: Incident) -> None:
    with labs.of_its_own(server) if incident.spoils else nullcontext(labs(server, incident.servers - 1)) as lab:
        tried = every_way(lab, incident)
    assert bool(tried) == incident.stops(server)
    for followed in tried:
        assert not followed.faults, f"alternative {followed.way + 1}: {followed}"
        assert followed.end == CAUGHT_UP or not incident.remedied, followed
