"""1062 where one incoming row collides with two rows of the replica: the message names only one of them."""

from __future__ import annotations

from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.scenario import ExpectedConflict, Expects, Scenario
from replfix.lab.shop import on_source, open_shop
from replfix.lab.topology import Lab


def stage(lab: Lab) -> None:
    open_shop(lab)
    write_locally(
        lab.replica,
        "INSERT INTO shop.orders (id, order_no, customer_id, amount, status, created_at) VALUES "
        "(5, 'R-0001', 4, 10.00, 'paid', '2026-03-05 11:00:00')",
        "INSERT INTO shop.orders (id, order_no, customer_id, amount, status, note, created_at) VALUES "
        "(900, 'A-1005', 2, 88.00, 'new', 'second try', '2026-03-05 11:01:30')",
    )
    on_source(
        lab,
        "INSERT INTO shop.orders (id, order_no, customer_id, amount, status, note, created_at) VALUES "
        "(5, 'A-1005', 2, 88.40, 'new', NULL, '2026-03-05 11:04:17.250')",
    )
    wait_until_stopped(lab.replica)


SCENARIO = Scenario(
    name="duplicate-two-rows",
    title="One incoming order, two orders in its way",
    story=(
        "Two orders were entered on the replica by hand. One took the id, the other the order number of an order that "
        "now comes from the source. The error names the primary key; deleting that row only brings the next error, on "
        "the unique key."
    ),
    stage=stage,
    expects=Expects(
        errno=1062,
        event="Write_rows",
        schema="shop",
        table="orders",
        key="orders.PRIMARY",
        conflicts=(
            ExpectedConflict("duplicate", "shop.orders", "PRIMARY"),
            ExpectedConflict("duplicate", "shop.orders", "order_no"),
        ),
        cause="local-write",
        displaced_rows=2,
    ),
)
