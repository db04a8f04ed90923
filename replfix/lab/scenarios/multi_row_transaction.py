"""1062 on the third row of a transaction over five tables, with another collision waiting after it."""

from __future__ import annotations

from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.scenario import ExpectedConflict, Expects, Scenario
from replfix.lab.shop import on_source, open_shop
from replfix.lab.topology import Lab


def stage(lab: Lab) -> None:
    open_shop(lab)
    write_locally(
        lab.replica,
        "INSERT INTO shop.order_lines (order_id, line_no, sku, quantity, price, gift_text) VALUES "
        "(5, 1, 'MUG-RED', 1, 9.95, 'Überraschung!')",
        "INSERT INTO shop.payments (id, reference, order_id, amount, token, paid_at) VALUES "
        "(800, 'PAY-00000004', 5, 9.95, 0xC0FFEE, '2026-03-05 11:02:00')",
    )
    on_source(
        lab,
        "INSERT INTO shop.customers (id, email, name, city, created_at) VALUES "
        "(5, 'zoe@example.com', 'Zoë Lindström', 'Malmö', '2026-03-05 11:03:58')",
        "INSERT INTO shop.orders (id, order_no, customer_id, amount, status, created_at) VALUES "
        "(5, 'A-1005', 5, 29.85, 'paid', '2026-03-05 11:04:17.250')",
        "INSERT INTO shop.order_lines (order_id, line_no, sku, quantity, price) VALUES "
        "(5, 1, 'MUG-RED', 3, 9.95), (5, 2, 'BULB-E27', 0, 5.00)",
        "UPDATE shop.stock SET reserved = reserved + 3 WHERE sku = 'MUG-RED'",
        "INSERT INTO shop.payments (id, reference, order_id, amount, paid_at) VALUES "
        "(4, 'PAY-00000004', 5, 29.85, '2026-03-05 11:04:20')",
        "DELETE FROM shop.order_lines WHERE order_id = 5 AND line_no = 2",
    )
    wait_until_stopped(lab.replica)


SCENARIO = Scenario(
    name="multi-row-transaction",
    title="A checkout that collides twice",
    story=(
        "A checkout writes customer, order, order lines, stock and payment in one transaction. Its third row collides "
        "with an order line that somebody tried out on the replica, and so will, later on, its payment. Skipping "
        "the transaction would lose the customer and the order as well; fixing the row that the error names only brings "
        "the next error."
    ),
    stage=stage,
    expects=Expects(
        errno=1062,
        event="Write_rows",
        schema="shop",
        table="order_lines",
        key="order_lines.PRIMARY",
        conflicts=(
            ExpectedConflict("duplicate", "shop.order_lines", "PRIMARY"),
            ExpectedConflict("duplicate", "shop.payments", "reference"),
        ),
        cause="local-write",
        displaced_rows=2,
    ),
)
