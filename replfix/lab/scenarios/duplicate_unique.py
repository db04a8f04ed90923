"""1062 on a unique key: the replica's row has another primary key, and who wrote it is unknown."""

from __future__ import annotations

from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.scenario import ExpectedConflict, Expects, Scenario
from replfix.lab.shop import on_source, open_shop
from replfix.lab.topology import Lab


def stage(lab: Lab) -> None:
    open_shop(lab)
    write_locally(
        lab.replica,
        "INSERT INTO shop.orders (id, order_no, customer_id, amount, status, note, created_at) VALUES "
        "(70001, 'A-1005', 3, 61.00, 'new', 'imported from the old shop', '2026-03-05 06:00:00')",
        logged=False,
    )
    on_source(
        lab,
        "INSERT INTO shop.orders (id, order_no, customer_id, amount, status, note, created_at) VALUES "
        "(5, 'A-1005', 3, 61.00, 'paid', NULL, '2026-03-05 12:30:00.500')",
    )
    wait_until_stopped(lab.replica)


SCENARIO = Scenario(
    name="duplicate-unique",
    title="The same order number under another id",
    story=(
        "A script that was meant for another host imported an order into the replica, with sql_log_bin off: no binlog "
        "and no GTID shows it. The order has an id far away, but its order number is one that the source hands out "
        "later. The replica stops with error 1062 on the unique key, and looking for the incoming id finds nothing."
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
    ),
)
