"""What a subscribing server's own catalogs add to a conflict of its subscription: its name, its state, and what can be run."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.explain.explanation import Case, PostgresqlLocation
from replfix.core.remedies.remedy import Fix
from replfix.core.replication.subscription import Subscription

_SKIPS = 15


def evidence(case: Case, origin: str | None) -> list[str]:
    """Return what the server knows; empty where none was asked, or it is another one."""
    place = case.postgresql_place
    subscription = _subscription(place, origin)
    if place is None or subscription is None:
        return []
    state = "enabled" if subscription.enabled else "disabled"
    said = [f"The subscription is {subscription.name} there, and it is {state}."]
    if place.found is not None:
        said.append(f"The subscribing server has the row: {len(place.found.rows)} found.")
    if subscription.apply_errors:
        said.append(f"It has failed {subscription.apply_errors:,} times since its counters were reset.")
    return said


def fixes(case: Case, origin: str | None, lsn: str | None) -> tuple[Fix, ...]:
    """Return the statements for that subscription; empty where it is not known, so that the text has to do."""
    place = case.postgresql_place
    subscription = _subscription(place, origin)
    if case.postgresql is None or place is None or subscription is None:
        return ()
    name = subscription.name
    on = (sql.postgresql_switch_subscription(name, on=True),)
    again = "The apply worker tries again by itself, and goes on."
    found = [
        Fix(
            "Compare the row on the subscribing server with that of the source:",
            (place.found.query,) if place.found is not None else (),
        ),
        Fix(
            "Decide which of the two is right. If the source's is: save a copy of the row of the subscribing server, and change its key or "
            "delete it there. " + (again if subscription.enabled else "Then start the subscription again:"),
            () if subscription.enabled else on,
        ),
    ]
    if lsn is not None and _major(case.postgresql.version) >= _SKIPS:
        found.append(
            Fix(
                "If the row has to stay as it is: leave the source's transaction out. All of its rows are lost here, not only this one: compare the tables of "
                "both servers afterwards. It is only for the transaction that finished at that LSN; no other one is left out.",
                (sql.postgresql_skip_transaction(name, lsn), *(() if subscription.enabled else on)),
            )
        )
    if subscription.enabled:
        found.append(
            Fix(
                "To stop the retries meanwhile. Nothing is lost by that alone; the source keeps its WAL for the slot until the "
                "subscription runs again, which can fill its disk.",
                (sql.postgresql_switch_subscription(name, on=False),),
            )
        )
    return tuple(found)


def _subscription(place: PostgresqlLocation | None, origin: str | None) -> Subscription | None:
    """Return the one of that origin; without an origin the only one that writes the table."""
    known = () if place is None else place.subscriptions or ()
    if origin is not None:
        return next((each for each in known if each.origin == origin), None)
    writing = [each for each in known if each.has_table]
    return writing[0] if len(writing) == 1 else None


def _major(version: str) -> int:
    digits = version.partition(".")[0]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 4 else 0
