"""Every remedy that is printed for the incidents of the catalogue is followed to the letter."""

from __future__ import annotations

import pytest

from replfix.lab.replication import write_locally
from replfix.lab.topology import Lab
from tests.following.__main__ import every_way
from tests.following.catalogue import INCIDENTS, Incident
from tests.following.follower import Follower


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: incident.name)
def test_every_remedy_leads_where_it_says(any_pair: Lab, any_server: str, incident: Incident) -> None:
    tried = every_way(any_pair, incident)
    assert bool(tried) == incident.stops(any_server)
    for number, followed in tried:
        assert not followed.faults, f"alternative {number + 1}: {followed}"
        assert followed.end in ("caught-up", "left-to-a-human"), followed


def test_the_ways_out_of_errant_transactions_lead_where_they_say(any_pair: Lab) -> None:
    write_locally(
        any_pair.replica,
        "CREATE DATABASE own",
        "CREATE TABLE own.t (id INT PRIMARY KEY)",
        "INSERT INTO own.t VALUES (1)",
    )
    follower = Follower(any_pair)
    assert len(follower.diagnose()["errant"]["ways"]) == 2
    assert follower.follow_errant() == []
