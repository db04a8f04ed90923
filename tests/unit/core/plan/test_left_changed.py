"""When a setting that is off was switched off by the run that a record tells of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from replfix.core.plan.left_changed import LastSet, SettingNow, not_by_that_run
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.mariadb_gtid import MariadbGtidSet

RECORDED = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def off(after: timedelta | None, *, shut: bool = True) -> SettingNow:
    return SettingNow(False, shut, None if after is None else LastSet(RECORDED + after, "dba@desk"))


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (SettingNow(True, True, None), ""),
        (off(timedelta(milliseconds=1)), ""),
        (off(timedelta(minutes=15)), ""),
        (off(timedelta(milliseconds=-1)), "before that"),
        (off(timedelta(minutes=16)), "after that run, at 2026-03-01 12:16:00 UTC by dba@desk"),
        (off(timedelta(milliseconds=1), shut=False), "so is read_only"),
        (off(None), "since the server was started"),
    ],
)
def test_by_the_servers_clock(now: SettingNow, why: str) -> None:
    found = not_by_that_run("super_read_only", now, datetime(1999, 1, 1, tzinfo=UTC), RECORDED)
    assert (found == "") == (why == "")
    assert why in found


@pytest.mark.parametrize(("after", "confirmed"), [(-59, True), (-61, False), (74, True), (76, False)])
def test_a_record_of_before_has_this_machines_clock_only(after: int, confirmed: bool) -> None:
    found = not_by_that_run("super_read_only", off(timedelta(minutes=after)), RECORDED, None)
    assert (found == "") == confirmed


def test_the_last_of_its_origin() -> None:
    one = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
    executed = GtidSet.parse(f"{one}:1-5:7-9,4e11fa47-71ca-11e1-9e33-c80aa9429562:1-20")
    assert [n for n in range(1, 12) if executed.ends_with(f"{one}:{n}")] == [9]
    replica = MariadbGtidSet.of_replica("0-1-9,0-2-7", "0-1-9", "2")
    assert [n for n in range(1, 12) if replica.ends_with(f"0-1-{n}")] == [9]
    assert not replica.ends_with("0-2-7")
