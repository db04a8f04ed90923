"""1062 on a primary key: the source lost a row without logging it, and gives its id to another one."""

from __future__ import annotations

from replfix.lab.replicate import wait_until_stopped
from replfix.lab.scenario import ExpectedConflict, Expects, Scenario
from replfix.lab.shop import on_source, open_shop
from replfix.lab.topology import Lab


def stage(lab: Lab) -> None:
    open_shop(lab)
    with lab.source.session() as source:
        source.execute("SET sql_log_bin = 0")
        source.execute("DELETE FROM shop.orders WHERE id = 2")
    on_source(
        lab,
        "INSERT INTO shop.orders (id, order_no, customer_id, amount, status, note, created_at) VALUES "
        "(2, 'A-1002b', 2, 240.00, 'new', 'entered again', '2026-03-05 11:04:17.250')",
    )
    wait_until_stopped(lab.replica)


SCENARIO = Scenario(
    name="source-lost-row",
    title="An order that the source lost",
    story=(
        "Somebody deleted a wrong order on the source with sql_log_bin off, and entered it again under the same id. The "
        "replica never heard of the delete: it still has the old order, and stops with error 1062. Nothing was ever "
        "written on the replica."
    ),
    stage=stage,
    expects=Expects(
        errno=1062,
        event="Write_rows",
        schema="shop",
        table="orders",
        key="orders.PRIMARY",
        conflicts=(ExpectedConflict("duplicate", "shop.orders", "PRIMARY"),),
        cause="unlogged-on-source",
        displaced_rows=1,
    ),
)
