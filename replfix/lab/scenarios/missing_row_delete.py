"""1032 in a DELETE: the replica's own binlog has the DELETE that came before it."""

from __future__ import annotations

from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.scenario import ExpectedConflict, Expects, Scenario
from replfix.lab.shop import on_source, open_shop
from replfix.lab.topology import Lab


def stage(lab: Lab) -> None:
    open_shop(lab)
    write_locally(lab.replica, "DELETE FROM shop.order_lines WHERE order_id = 2 AND line_no = 2")
    on_source(lab, "DELETE FROM shop.order_lines WHERE order_id = 2 AND line_no = 2")
    wait_until_stopped(lab.replica)


SCENARIO = Scenario(
    name="missing-row-delete",
    title="An order line that was deleted twice",
    story=(
        "Support removed an order line, first by mistake on the replica, then on the source. The DELETE from the source "
        "finds nothing to delete, and the replica stops with error 1032. The replica's own binlog still knows of the "
        "first one."
    ),
    stage=stage,
    expects=Expects(
        errno=1032,
        event="Delete_rows",
        schema="shop",
        table="order_lines",
        key=None,
        conflicts=(ExpectedConflict("missing", "shop.order_lines", "PRIMARY"),),
        cause="local-write",
        displaced_rows=0,
    ),
)
