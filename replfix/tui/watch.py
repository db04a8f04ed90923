"""Polls every replica in a thread of its own, so that one that does not answer never delays another.

A few more threads ask the sources, less often: what a replica lacks, and what only it has. Nothing here knows a screen:
the app looks at what was seen whenever it draws, and draws only what changed.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.core.replication.source_gap import SourceGap
from replfix.errors import ReplfixError
from replfix.present.channel_state import State, state_of
from replfix.tui.backend import Backend

HISTORY = 12  # polls of lag that are kept for each channel
BACKOFF_SECONDS = 5.0  # between two tries to reach a replica that does not answer
SOURCE_SECONDS = 15.0  # between two looks at the sources of one replica
LOOK_SECONDS = 0.2  # until a thread without work looks for some again
SOURCE_THREADS = 8  # that ask sources; one that does not answer keeps one of them waiting


@dataclass(frozen=True, slots=True)
class Since:
    """Since when a channel is in its present state: as the server recorded it, else when it was first seen so.

    ``at_least``: it was so at the first poll, so it may be longer.
    """

    state: State
    at: datetime
    at_least: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What the last poll of one replica gave: a status, or why there is none. ``sequence`` grows with each poll."""

    name: str
    sequence: int
    status: ReplicaStatus | None
    error: ReplfixError | None
    lag: Mapping[str, tuple[int | None, ...]] = field(default_factory=dict)  # by channel, the oldest first
    since: Mapping[str, Since] = field(default_factory=dict)  # by channel; '' of a replica without one
    gaps: Mapping[str, SourceGap] = field(default_factory=dict)  # by channel, when its source was asked last

    @property
    def channels(self) -> tuple[ChannelStatus, ...]:
        """The channels of the status; none where the replica did not answer."""
        return self.status.channels if self.status else ()

    def lag_of(self, channel: str) -> tuple[int | None, ...]:
        """Return the lag of the last polls of that channel, the oldest first; None: it was unknown."""
        return self.lag.get(channel, ())

    def states(self) -> dict[str, State]:
        """Return the state of every channel; of a replica without one, or that does not answer, under ''."""
        if self.error is not None:
            return {"": State.UNREACHABLE}
        return {channel.name: state_of(channel) for channel in self.channels} or {"": State.STOPPED}


class Watch:
    """The pollers of all replicas. Every method can be called from any thread."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._lock = threading.Lock()
        self._seen: dict[str, Seen] = {}
        self._changed: set[str] = set()
        self._lag: dict[tuple[str, str], deque[int | None]] = {}
        self._gaps: dict[str, Mapping[str, SourceGap]] = {}
        self._due = dict.fromkeys(backend.replicas, 0.0)  # when its sources are asked next; without those being asked
        self._stop = threading.Event()
        self._wake = {name: threading.Event() for name in backend.replicas}
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start a thread for each replica, which polls at once, and those that ask the sources."""
        names = self._backend.replicas
        for name in names:
            self._begin(threading.Thread(target=self._poll_for_ever, args=(name,), name=f"poll {name}", daemon=True))
        for number in range(min(SOURCE_THREADS, len(names))):
            self._begin(threading.Thread(target=self._ask_sources, name=f"sources {number}", daemon=True))

    def _begin(self, thread: threading.Thread) -> None:
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """Ask every thread to end. Those that wait for a server that does not answer are left to it (daemons)."""
        self._stop.set()
        for wake in self._wake.values():
            wake.set()

    def poll_now(self, name: str | None = None) -> None:
        """Poll that replica, or all of them, and ask their sources, without waiting for the next turn."""
        for each in (name,) if name is not None else tuple(self._wake):
            self._wake[each].set()
            with self._lock:
                if each in self._due:
                    self._due[each] = 0.0

    def take_changed(self) -> tuple[Seen, ...]:
        """Return what was polled since the last call."""
        with self._lock:
            changed = tuple(self._seen[name] for name in self._changed)
            self._changed.clear()
        return changed

    def seen(self, name: str) -> Seen | None:
        """Return the last poll of that replica; None before the first one."""
        with self._lock:
            return self._seen.get(name)

    def _poll_for_ever(self, name: str) -> None:
        sequence = 0
        while not self._stop.is_set():
            sequence += 1
            started = time.monotonic()
            status: ReplicaStatus | None = None
            error: ReplfixError | None = None
            try:
                status = self._backend.poll(name)
            except ReplfixError as found:
                error = found
            except Exception as bug:  # a thread that dies in silence would show an old state as the present one
                error = ReplfixError(f"Polling failed: {type(bug).__name__}: {bug}")
            self._keep(name, sequence, status, error)
            pause = self._backend.poll_seconds if error is None else max(BACKOFF_SECONDS, self._backend.poll_seconds)
            self._wake[name].wait(max(0.0, pause - (time.monotonic() - started)))
            self._wake[name].clear()

    def _keep(self, name: str, sequence: int, status: ReplicaStatus | None, error: ReplfixError | None) -> None:
        with self._lock:
            lags: dict[str, tuple[int | None, ...]] = {}
            for channel in status.channels if status else ():
                history = self._lag.setdefault((name, channel.name), deque(maxlen=HISTORY))
                history.append(channel.lag_seconds)
                lags[channel.name] = tuple(history)
            before = self._seen.get(name)
            seen = Seen(name, sequence, status, error, lags, gaps=self._gaps.get(name, {}))
            self._seen[name] = replace(seen, since=_since(seen, before))
            self._changed.add(name)

    # --- the sources ---

    def _ask_sources(self) -> None:
        while not self._stop.wait(0.0 if (name := self._next()) is not None else LOOK_SECONDS):
            if name is None:
                continue
            gaps: Mapping[str, SourceGap] = {}
            try:
                gaps = self._backend.source_gaps(name)
            except ReplfixError as error:
                gaps = {channel: SourceGap(None, None, error.message) for channel in self._channels(name)}
            except Exception as bug:  # as above
                why = f"Asking the source failed: {type(bug).__name__}: {bug}"
                gaps = {channel: SourceGap(None, None, why) for channel in self._channels(name)}
            self._keep_gaps(name, gaps)

    def _next(self) -> str | None:
        """Return the replica whose sources are to be asked now, and take it from the list; None: it is too early for all."""
        now = time.monotonic()
        with self._lock:
            due = min(
                (name for name in self._due if (seen := self._seen.get(name)) is not None and seen.channels),
                key=self._due.__getitem__,
                default=None,
            )
            if due is None or self._due[due] > now:
                return None
            del self._due[due]
            return due

    def _channels(self, name: str) -> tuple[str, ...]:
        seen = self.seen(name)
        return tuple(channel.name for channel in seen.channels) if seen is not None else ()

    def _keep_gaps(self, name: str, gaps: Mapping[str, SourceGap]) -> None:
        with self._lock:
            self._gaps[name] = gaps
            self._due[name] = time.monotonic() + SOURCE_SECONDS
            if (seen := self._seen.get(name)) is not None:
                self._seen[name] = replace(seen, gaps=gaps)
                self._changed.add(name)


def _since(seen: Seen, before: Seen | None) -> dict[str, Since]:
    now = datetime.now(UTC)
    failed = {channel.name: channel.failed_at for channel in seen.channels}
    found: dict[str, Since] = {}
    for channel, state in seen.states().items():
        if state is State.ERROR and (at := failed.get(channel)) is not None:
            found[channel] = Since(state, at, at_least=False)
            continue
        was = before.since.get(channel) if before is not None else None
        found[channel] = was if was is not None and was.state is state else Since(state, now, before is None)
    return found
