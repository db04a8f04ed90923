"""What changed since a plan was made, in words; what nobody can stage with two servers, too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from replfix.core.conclude import conclude
from replfix.core.plan.guard import Guard, GuardKind
from replfix.core.plan.plan import Plan
from replfix.core.plan.staleness import redefined, redirected, replanned
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.filters import Filters
from replfix.core.schema.table import Trigger
from tests.unit.fakes import Rows
from tests.unit.making import ORDERS, REPLICA, SOURCE, channel, evidence, inserted


@pytest.mark.parametrize(
    ("now", "why"),
    [
        ({}, ""),
        ({"source_port": 3307}, "reads from 10.0.0.1:3307 now, not from 10.0.0.1:3306"),
        ({"source_uuid": REPLICA}, f"is the server {REPLICA} now, not {SOURCE}"),
        ({"source_uuid": ""}, "the channel was reset"),
        ({"auto_position": False}, "goes by positions now"),
        ({"filters": Filters(ignore_table=("shop.orders",))}, "filters are others"),
    ],
)
def test_a_channel_that_gets_its_transactions_from_elsewhere(now: dict[str, Any], why: str) -> None:
    then = replace(channel(), source_host="10.0.0.1", source_port=3306, auto_position=True)
    found = redirected(then, replace(then, **now))
    assert why in found
    assert bool(found) is bool(why)
    assert redirected(then, None) == "the channel does not exist any more"
    assert redirected(replace(then, source_uuid=""), then) == "", "it was not connected yet"


def test_a_table_that_was_altered() -> None:
    then = {ORDERS.name: ORDERS}
    assert redefined(then, {ORDERS.name: ORDERS}) == ""
    assert redefined(then, {ORDERS.name: None}) == "shop.orders does not exist any more"
    altered = replace(ORDERS, engine="MyISAM", triggers=(Trigger("t", "DELETE", "AFTER"),))
    assert redefined(then, {ORDERS.name: altered}) == "shop.orders was altered: its engine, its triggers"


def plan(*held: RowImage, **over: Any) -> Plan:
    rows = Rows.of(ORDERS).holding(ORDERS, *held)
    gathered = replace(evidence([inserted(ORDERS, 1, "A", None)], rows), **over)
    found = conclude(gathered).proposal("source-wins")
    assert found is not None
    assert found.plan is not None
    return found.plan


def test_a_plan_that_was_made_anew() -> None:
    shown = plan((1, "x", None))
    assert replanned(shown, plan((1, "x", None))) == ""
    assert replanned(shown, plan((1, "y", None))) == "a row of shop.orders changed (number)"
    assert "1 step then, 2 steps now" in replanned(shown, plan((1, "x", None), (2, "A", None)))
    moved = replace(shown, guards=(Guard.of(GuardKind.SERVER, uuid="another"), *shown.guards[1:]))
    assert replanned(shown, moved) == f"no longer so: {shown.guards[0].in_words}; now so: the server is another"
    assert replanned(shown, replace(shown, errno=1032)) == "the channel fails with error 1032"
    assert replanned(shown, replace(shown, row_events=not shown.row_events)) == "it would be carried out in another way"
