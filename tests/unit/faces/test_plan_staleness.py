"""By which polls a plan on the screen becomes stale, and by which its replica is silent only: no app is started."""

from __future__ import annotations

import pytest

from replfix.errors import ConnectError
from replfix.tui.messages import Polled
from replfix.tui.plan_staleness import Fit
from replfix.tui.watch import Seen
from tests.tui.backend import HEALTHY, NEXT_GTID, Answer, diagnosis_of, failing, plan_of, stands
from tests.unit.making import GTID, REPLICA, SOURCE

CHANGES: dict[str, tuple[Answer, str]] = {
    "another transaction": (stands(failing(gtid=NEXT_GTID)), "fails on another transaction"),
    "another error": (stands(failing(1032)), "fails with another error"),
    "applied by somebody": (stands(failing(), executed=f"{SOURCE}:1-6"), f"{GTID} has been applied or skipped"),
    "it runs": (HEALTHY, "the channel runs now"),
    "another server": (stands(failing(), server_uuid=SOURCE), f"the server is {SOURCE} now, not {REPLICA}"),
    "no channel": (stands(), "the channel does not exist any more"),
}


def poll(answer: Answer, sequence: int = 9, name: str = "db2") -> Polled:
    if isinstance(answer, ConnectError):
        return Polled((Seen(name, sequence, None, answer),))
    assert not isinstance(answer, BaseException)
    return Polled((Seen(name, sequence, answer, None),))


@pytest.mark.parametrize("change", CHANGES)
def test_a_plan_goes_stale_and_stays_so(change: str) -> None:
    answer, words = CHANGES[change]
    fit = Fit("db2", plan_of(diagnosis_of()), 3)
    assert not fit.look(poll(stands(failing())))
    assert not fit.look(poll(answer, 4)), "it began before the plan was shown"
    assert not fit.look(poll(answer, 9, "db3")), "another replica"
    assert fit.look(poll(answer))
    assert words in fit.staleness
    assert not fit.look(poll(stands(failing())))
    assert words in fit.staleness


def test_a_replica_that_is_silent_makes_no_plan_stale() -> None:
    fit = Fit("db2", plan_of(diagnosis_of()), 3)
    assert fit.look(poll(ConnectError("Lost db2.")))
    assert (fit.silence, fit.staleness) == ("db2 does not answer now: Lost db2.", "")
    assert not fit.look(poll(ConnectError("Lost db2."), 10)), "no news"
    assert fit.look(poll(stands(failing()), 11))
    assert not fit.silence
