"""1062 with identical rows: the replica was repositioned two transactions too early."""

from __future__ import annotations

from replfix.core.replication.gtid import GtidSet
from replfix.lab.flavours import speaking
from replfix.lab.replicate import executed, wait_until_received, wait_until_stopped
from replfix.lab.scenario import ExpectedConflict, Expects, Scenario
from replfix.lab.shop import on_source, open_shop
from replfix.lab.topology import Lab


def stage(lab: Lab) -> None:
    open_shop(lab)
    with lab.source.session() as source:
        before = executed(source)
    on_source(
        lab,
        "INSERT INTO shop.orders (id, order_no, customer_id, amount, status, note, created_at) VALUES "
        "(5, 'A-1005', 4, 15.00, 'paid', 'naïve café ☕', '2026-03-05 11:04:17.250')",
    )
    on_source(
        lab,
        "INSERT INTO shop.orders (id, order_no, customer_id, amount, status, note, created_at) VALUES "
        "(6, 'A-1006', 2, 7.25, 'new', NULL, '2026-03-05 11:09:00.000')",
    )
    lab.wait_until_applied()
    with lab.source.session() as source:
        last = executed(source) - before
    with lab.replica.session() as replica:
        replica.execute("STOP REPLICA")
        _reposition(lab, executed(replica) - last)
        replica.execute("START REPLICA")
    wait_until_stopped(lab.replica)
    wait_until_received(lab.source, lab.replica)


def _reposition(lab: Lab, gtids: GtidSet) -> None:
    """Do what a restore with a wrong position does: the data is today's, the GTID set of a moment before."""
    with lab.replica.session() as replica:
        flavour = speaking(replica)
        with flavour.writable(replica):
            flavour.forget_received(replica)  # or the relay log would be read on where it was
            flavour.forget(replica, gtids)


SCENARIO = Scenario(
    name="applied-twice",
    title="Transactions that arrive a second time",
    story=(
        "The replica was set up again from a copy of its data, and the GTID set that went with the copy was two "
        "transactions too old. So the replica asks for transactions whose rows it already has, and stops with error "
        "1062: the row in its way is the very row that comes in. Then comes the next."
    ),
    stage=stage,
    expects=Expects(
        errno=1062,
        event="Write_rows",
        schema="shop",
        table="orders",
        key="orders.PRIMARY",
        conflicts=(ExpectedConflict("duplicate", "shop.orders", "PRIMARY"),),
        cause="applied-twice",
        displaced_rows=2,
        rounds=2,
    ),
)
