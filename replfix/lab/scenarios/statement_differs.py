"""1062 on a unique key: a statement of the source gave the replica's row another value than the source's."""

from __future__ import annotations

from replfix.lab.replicate import wait_until_stopped
from replfix.lab.scenario import ExpectedConflict, Expects, Scenario
from replfix.lab.shop import on_source, open_shop
from replfix.lab.topology import Lab


def stage(lab: Lab) -> None:
    open_shop(lab)
    with lab.source.session() as source:
        source.execute("SET SESSION binlog_format = STATEMENT")
        source.execute("UPDATE shop.orders SET order_no = IF(@@GLOBAL.read_only, 'A-2002', 'A-2001') WHERE id = 4")
    lab.wait_until_applied()
    on_source(  # the number that the statement gave on the replica
        lab,
        "INSERT INTO shop.orders (order_no, customer_id, amount, status, note, created_at) VALUES "
        "('A-2002', 2, 88.40, 'new', NULL, '2026-03-05 11:04:17.250')",
    )
    wait_until_stopped(lab.replica)


SCENARIO = Scenario(
    name="statement-differs",
    title="An order that a statement numbered differently",
    story=(
        "An old script sets binlog_format to STATEMENT and gives an order a number that depends on read_only, so as to know "
        "where it is. The statement ran again on the replica, and gave another number there. Now the source hands out that very number, and "
        "the replica stops with error 1062 on a row that nobody ever wrote on it."
    ),
    stage=stage,
    expects=Expects(
        errno=1062,
        event="Write_rows",
        schema="shop",
        table="orders",
        key="orders.order_no",
        conflicts=(ExpectedConflict("duplicate", "shop.orders", "order_no"),),
        cause="statement-event",
        displaced_rows=1,
    ),
)
