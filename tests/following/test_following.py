"""Every remedy that is printed for the incidents of the catalogue is followed to the letter."""

from __future__ import annotations

import pytest

from replfix.lab.topology import Lab
from tests.following.__main__ import every_way
from tests.following.catalogue import INCIDENTS, Incident


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: incident.name)
def test_every_remedy_leads_where_it_says(any_pair: Lab, any_server: str, incident: Incident) -> None:
    tried = every_way(any_pair, incident)
    assert bool(tried) == incident.stops(any_server)
    for number, followed in tried:
        assert not followed.faults, f"alternative {number + 1}: {followed}"
        assert followed.end in ("caught-up", "left-to-a-human"), followed
