"""The backlog as a bar: where in it the conflicts are, from the next transaction on the left to the newest one."""

from __future__ import annotations

from itertools import groupby

from replfix.core.conflicts.ahead.forecast import Effect, Forecast
from replfix.present.page.forecast_page import SIGNS
from replfix.present.page.page_model import Role, Span, Words

NOTHING, UNKNOWN = "·", "?"
_ROLES = {NOTHING: Role.MUTED, UNKNOWN: Role.WARNING, SIGNS[Effect.STOPS]: Role.ERROR}


def timeline(found: Forecast, width: int) -> Words:
    """Return a bar of at most ``width`` cells, each for as many transactions, with the worst that is in them.

    ``?`` at its end: not everything was looked at. Empty where transactions were not counted.
    """
    goes_on = not found.scanned.complete
    count = max(found.scanned.transactions, *(ahead.number or 0 for ahead in found.conflicts), 0)
    if not count or any(ahead.number is None for ahead in found.conflicts):
        return ()
    cells = [NOTHING] * max(1, min(count, width - goes_on))
    worst = list(SIGNS)
    for effect in reversed(worst):
        for ahead in found.conflicts:
            if ahead.effect is effect and ahead.number is not None:
                cells[(ahead.number - 1) * len(cells) // count] = SIGNS[effect]
    cells += [UNKNOWN] * goes_on
    return tuple(Span("".join(each), _ROLES.get(sign, Role.WARNING)) for sign, each in groupby(cells))


def legend(found: Forecast) -> Words:
    """Return what the signs of the bar mean, as far as they are in it."""
    said = {Effect.STOPS: "stops", Effect.OVERWRITES: "overwrites", Effect.DELETES_SILENTLY: "deletes without an error"}
    effects = {ahead.effect for ahead in found.conflicts}
    signs = [(SIGNS[effect], words) for effect, words in said.items() if effect in effects]
    signs += [(NOTHING, "no conflict")]
    signs += [] if found.scanned.complete else [(UNKNOWN, "looked at in part")]
    return tuple(
        Span(f"{'   ' if number else ''}{sign} {word}", Role.MUTED) for number, (sign, word) in enumerate(signs)
    )
