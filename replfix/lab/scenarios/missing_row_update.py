"""1032 in an UPDATE: the row is gone on the replica, and who deleted it is unknown."""

from __future__ import annotations

from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.scenario import ExpectedConflict, Expects, Scenario
from replfix.lab.shop import on_source, open_shop
from replfix.lab.topology import Lab


def stage(lab: Lab) -> None:
    open_shop(lab)
    write_locally(lab.replica, "DELETE FROM shop.orders WHERE id = 3", logged=False)
    on_source(lab, "UPDATE shop.orders SET status = 'shipped', note = 'signed by 李' WHERE id = 3")
    wait_until_stopped(lab.replica)


SCENARIO = Scenario(
    name="missing-row-update",
    title="An order to update that is not there",
    story=(
        "A clean-up script ran on the replica with sql_log_bin off and deleted an order. Days later the source marks "
        "that order as shipped, and the replica stops with error 1032: can't find record."
    ),
    stage=stage,
    expects=Expects(
        errno=1032,
        event="Update_rows",
        schema="shop",
        table="orders",
        key=None,
        conflicts=(ExpectedConflict("missing", "shop.orders", "PRIMARY"),),
        cause="unlogged-write",
        displaced_rows=0,
    ),
)
