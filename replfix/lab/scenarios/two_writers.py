"""1062, again and again: an application writes to both servers, and both hand out the same ids."""

from __future__ import annotations

from replfix.lab.replicate import wait_until_received, wait_until_stopped, write_locally
from replfix.lab.scenario import ExpectedConflict, Expects, Scenario
from replfix.lab.shop import on_source, open_shop
from replfix.lab.topology import Lab

_REPLICAS_ORDERS = (
    "INSERT INTO shop.orders (order_no, customer_id, amount, status, note) VALUES ('B-0001', 4, 12.00, 'new', NULL)",
    "INSERT INTO shop.orders (order_no, customer_id, amount, status, note) VALUES ('B-0002', 2, 8.75, 'paid', 'Ω')",
    "INSERT INTO shop.orders (order_no, customer_id, amount, status, note) VALUES ('B-0003', 1, 99.00, 'new', 'ASAP')",
)
_SOURCES_ORDERS = (
    "INSERT INTO shop.orders (order_no, customer_id, amount, status, note) VALUES ('A-1005', 2, 88.40, 'new', '🎁')",
    "INSERT INTO shop.orders (order_no, customer_id, amount, status, note) VALUES ('A-1006', 3, 3.20, 'paid', NULL)",
    "INSERT INTO shop.orders (order_no, customer_id, amount, status, note) VALUES ('A-1007', 1, 540.00, 'new', NULL)",
)


def stage(lab: Lab) -> None:
    open_shop(lab)
    for order in _REPLICAS_ORDERS:  # an application has several connections
        write_locally(lab.replica, order)
    first, *others = _SOURCES_ORDERS
    on_source(lab, first)
    # Stopped on the first one before the others come: with several workers any of them could be the first to fail.
    wait_until_stopped(lab.replica)
    for order in others:
        on_source(lab, order)
    wait_until_received(lab.source, lab.replica)


SCENARIO = Scenario(
    name="two-writers",
    title="An application that writes to both servers",
    story=(
        "After a fail-over test one application server kept its connections to the replica, which somebody had made "
        "writable. Orders were taken on both servers, with auto_increment_increment and auto_increment_offset equal, so "
        "both handed out the same ids. Three orders of the source are in conflict with three of the replica; each stops "
        "the replica as soon as the one before it is repaired."
    ),
    stage=stage,
    expects=Expects(
        errno=1062,
        event="Write_rows",
        schema="shop",
        table="orders",
        key="orders.PRIMARY",
        conflicts=(ExpectedConflict("duplicate", "shop.orders", "PRIMARY"),),
        cause="two-writers",
        displaced_rows=3,
        rounds=3,
    ),
)
