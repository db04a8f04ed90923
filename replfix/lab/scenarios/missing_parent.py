"""1452: the parent of a new row was deleted on the replica, and has changed on the source since."""

from __future__ import annotations

from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.scenario import ExpectedConflict, Expects, Scenario
from replfix.lab.shop import on_source, open_shop
from replfix.lab.topology import Lab


def stage(lab: Lab) -> None:
    open_shop(lab)
    on_source(
        lab,
        "CREATE TABLE shop.suppliers (id INT UNSIGNED NOT NULL PRIMARY KEY, name VARCHAR(60) NOT NULL)",
        "CREATE TABLE shop.deliveries (id INT UNSIGNED NOT NULL PRIMARY KEY, supplier_id INT UNSIGNED NOT NULL, "
        "CONSTRAINT delivered_by FOREIGN KEY (supplier_id) REFERENCES shop.suppliers (id))",
        "INSERT INTO shop.suppliers VALUES (1, 'Lampen Kühn'), (2, 'Teehaus 烏龍')",
    )
    lab.wait_until_applied()
    write_locally(lab.replica, "DELETE FROM shop.suppliers WHERE id = 2", logged=False)
    on_source(lab, "INSERT INTO shop.deliveries VALUES (10, 2)")
    on_source(lab, "UPDATE shop.suppliers SET name = 'Teehaus Oolong' WHERE id = 2")
    wait_until_stopped(lab.replica)


SCENARIO = Scenario(
    name="missing-parent",
    title="A delivery whose supplier is not there",
    story=(
        "Somebody cleaned suppliers up on the replica with sql_log_bin off. The next delivery of one of them stops the "
        "replica with error 1452: its foreign key finds no parent. After it, the source renames that supplier: what has "
        "to be put back is the supplier as it was before that."
    ),
    stage=stage,
    expects=Expects(
        errno=1452,
        event="Write_rows",
        schema="shop",
        table="deliveries",
        key=None,
        conflicts=(ExpectedConflict("missing", "shop.suppliers", "PRIMARY"),),
        cause="unlogged-write",
        displaced_rows=0,
        behind=1,
    ),
)
