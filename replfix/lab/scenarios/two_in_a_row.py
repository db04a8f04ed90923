"""1062, and after it a second transaction that fails for another reason on another table."""

from __future__ import annotations

from replfix.lab.replicate import wait_until_received, wait_until_stopped, write_locally
from replfix.lab.scenario import ExpectedConflict, Expects, Scenario
from replfix.lab.shop import on_source, open_shop
from replfix.lab.topology import Lab


def stage(lab: Lab) -> None:
    open_shop(lab)
    write_locally(
        lab.replica,
        "INSERT INTO shop.orders (id, order_no, customer_id, amount, status, created_at) VALUES "
        "(5, 'R-0001', 4, 10.00, 'paid', '2026-03-05 11:00:00')",
        "DELETE FROM shop.stock WHERE sku = 'TEA-OOLONG'",
    )
    on_source(
        lab,
        "INSERT INTO shop.orders (id, order_no, customer_id, amount, status, created_at) VALUES "
        "(5, 'A-1005', 2, 7.50, 'new', '2026-03-05 11:04:17.250')",
    )
    wait_until_stopped(lab.replica)
    on_source(lab, "UPDATE shop.stock SET quantity = quantity - 1 WHERE sku = 'TEA-OOLONG'")
    wait_until_received(lab.source, lab.replica)


SCENARIO = Scenario(
    name="two-in-a-row",
    title="A second failing transaction right after the first",
    story=(
        "Somebody tidied up on the replica: entered an order there and deleted an article from the stock. The order from "
        "the source stops the replica with error 1062. As soon as that is repaired, the next transaction, which updates "
        "the article, stops it again, with error 1032."
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
        rounds=2,
    ),
)
