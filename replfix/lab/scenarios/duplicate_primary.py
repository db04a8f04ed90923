"""1062 on a primary key: somebody wrote one order on the replica."""

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
        "(5, 'R-0001', 4, 10.00, 'paid', 'entered by hand while the shop was down – Björn', '2026-03-05 11:00:00')",
    )
    on_source(
        lab,
        "INSERT INTO shop.orders (order_no, customer_id, amount, status, note, created_at) VALUES "
        "('A-1005', 2, 88.40, 'new', 'Año nuevo 🎉', '2026-03-05 11:04:17.250')",
    )
    wait_until_stopped(lab.replica)


SCENARIO = Scenario(
    name="duplicate-primary",
    title="An order that was entered on the replica",
    story=(
        "The application could not reach the source for a few minutes. A colleague logged into the replica, made it "
        "writable and entered one order by hand. Then the source came back and gave the same id to an order "
        "of its own. The replica has stopped on it with error 1062."
    ),
    stage=stage,
    expects=Expects(
        errno=1062,
        event="Write_rows",
        schema="shop",
        table="orders",
        key="orders.PRIMARY",
        conflicts=(ExpectedConflict("duplicate", "shop.orders", "PRIMARY"),),
        cause="local-write",
        displaced_rows=1,
    ),
)
