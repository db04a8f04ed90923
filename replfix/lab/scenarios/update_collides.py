"""1062 in an UPDATE: the value that the row moves to is taken on the replica."""

from __future__ import annotations

from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.scenario import ExpectedConflict, Expects, Scenario
from replfix.lab.shop import on_source, open_shop
from replfix.lab.topology import Lab


def stage(lab: Lab) -> None:
    open_shop(lab)
    write_locally(
        lab.replica,
        "INSERT INTO shop.customers (id, email, name, city, created_at) VALUES "
        "(17, 'ana.sousa@example.com', 'Ana S. (test)', 'Lisboa', '2026-03-05 10:00:00')",
    )
    on_source(lab, "UPDATE shop.customers SET email = 'ana.sousa@example.com' WHERE id = 1")
    wait_until_stopped(lab.replica)


SCENARIO = Scenario(
    name="update-collides",
    title="A new e-mail address that somebody has already",
    story=(
        "A customer changes her e-mail address on the source. On the replica a test customer, created there by hand, "
        "has that address already, so the UPDATE stops with error 1062."
    ),
    stage=stage,
    expects=Expects(
        errno=1062,
        event="Update_rows",
        schema="shop",
        table="customers",
        key="customers.email",
        conflicts=(ExpectedConflict("duplicate", "shop.customers", "email"),),
        cause="local-write",
        displaced_rows=1,
    ),
)
