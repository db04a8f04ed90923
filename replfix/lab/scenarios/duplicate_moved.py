"""1062 on a unique key whose holder is a row of the source too: one of its values was changed on the replica."""

from __future__ import annotations

from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.scenario import ExpectedConflict, Expects, Scenario
from replfix.lab.shop import on_source, open_shop
from replfix.lab.topology import Lab


def stage(lab: Lab) -> None:
    open_shop(lab)
    write_locally(lab.replica, "UPDATE shop.orders SET order_no = 'A-1005' WHERE id = 4", logged=False)
    on_source(
        lab,
        "INSERT INTO shop.orders (order_no, customer_id, amount, status, note, created_at) VALUES "
        "('A-1005', 2, 88.40, 'new', 'the real A-1005', '2026-03-05 11:04:17.250')",
    )
    # After it, and not applied yet: the replica has to get the row as it was before this.
    on_source(lab, "UPDATE shop.orders SET note = 'changed after the conflict' WHERE id = 4")
    wait_until_stopped(lab.replica)


SCENARIO = Scenario(
    name="duplicate-moved",
    title="An order that was renumbered on the replica",
    story=(
        "Somebody corrected an order number on the replica, with logging switched off. Later the source gives that very "
        "number to a new order. The row in the way is no stranger: the source has the order too, under its old number. "
        "Taking it out would leave the replica without it."
    ),
    stage=stage,
    expects=Expects(
        errno=1062,
        event="Write_rows",
        schema="shop",
        table="orders",
        key="orders.order_no",
        conflicts=(ExpectedConflict("duplicate", "shop.orders", "order_no"),),
        cause="unlogged-write",
        displaced_rows=1,
        behind=1,
    ),
)
