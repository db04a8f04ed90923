"""Whether an interrupted run changed the setting that its record names: the server shows when it was last set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

WITHIN = timedelta(minutes=15)
"""How long after its record a run switches a setting at the latest: no statement of its session takes longer."""
WITHOUT_SERVER_TIME = timedelta(hours=1)
"""How far this machine's clock, by which older records say when they were written, may be from the server's."""


@dataclass(frozen=True, slots=True)
class LastSet:
    """When a setting was last set, and by whom. ``at``: by the server's clock."""

    at: datetime
    by: str  # user@host, as far as the server says it


@dataclass(frozen=True, slots=True)
class SettingNow:
    """A setting as it is now. ``last_set`` None: as it was when the server started."""

    protects: bool  # as it was before that run
    shut: bool  # read_only is ON
    last_set: LastSet | None


def not_by_that_run(name: str, now: SettingNow, recorded_at: datetime, server_time: datetime | None) -> str:
    """Return why the setting is left as it is; empty where it may be put back, and where nothing is to be put back.

    It may where the server confirms that a run which recorded it then has switched it off. ``server_time``: by the
    server's clock, None in older records.
    """
    if now.protects:
        return ""
    if not now.shut:
        return f"{name} is off, and so is read_only, which no run of replfix switches off"
    if now.last_set is None:
        return f"{name} has been off since the server was started"
    slack = timedelta() if server_time is not None else WITHOUT_SERVER_TIME
    begun = server_time or recorded_at
    when = f"{now.last_set.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC by {now.last_set.by}"
    if now.last_set.at < begun - slack:
        return f"{name} was switched off before that, at {when}"
    if now.last_set.at > begun + WITHIN + slack:
        return f"{name} was switched off after that run, at {when}"
    return ""
