"""Polls every replica in a thread of its own, so that one that does not answer never delays another.

Nothing here knows a screen: the app looks at what was seen whenever it draws, and draws only what changed.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass

from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.errors import ReplfixError
from replfix.tui.backend import Backend

HISTORY = 12  # polls of lag that are kept for each channel
BACKOFF_SECONDS = 5.0  # between two tries to reach a replica that does not answer


@dataclass(frozen=True, slots=True)
class Seen:
    """What the last poll of one replica gave: a status, or why there is none. ``sequence`` grows with each poll."""

    name: str
    sequence: int
    status: ReplicaStatus | None
    error: ReplfixError | None
    lag: tuple[tuple[str, tuple[int | None, ...]], ...] = ()  # by channel, the oldest first

    @property
    def channels(self) -> tuple[ChannelStatus, ...]:
        """The channels of the status; none where the replica did not answer."""
        return self.status.channels if self.status else ()

    def lag_of(self, channel: str) -> tuple[int | None, ...]:
        """Return the lag of the last polls of that channel, the oldest first; None: it was unknown."""
        return dict(self.lag).get(channel, ())


class Watch:
    """The pollers of all replicas. Every method can be called from any thread."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._lock = threading.Lock()
        self._seen: dict[str, Seen] = {}
        self._changed: set[str] = set()
        self._lag: dict[tuple[str, str], deque[int | None]] = {}
        self._stop = threading.Event()
        self._wake = {name: threading.Event() for name in backend.replicas}
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start a thread for each replica, which polls at once."""
        for name in self._backend.replicas:
            thread = threading.Thread(target=self._poll_for_ever, args=(name,), name=f"poll {name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Ask every thread to end. Those that wait for a server that does not answer are left to it (daemons)."""
        self._stop.set()
        for wake in self._wake.values():
            wake.set()

    def poll_now(self, name: str | None = None) -> None:
        """Poll that replica, or all of them, without waiting for the next turn."""
        for each in (name,) if name is not None else tuple(self._wake):
            self._wake[each].set()

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
            lags: list[tuple[str, tuple[int | None, ...]]] = []
            for channel in status.channels if status else ():
                history = self._lag.setdefault((name, channel.name), deque(maxlen=HISTORY))
                history.append(channel.lag_seconds)
                lags.append((channel.name, tuple(history)))
            self._seen[name] = Seen(name, sequence, status, error, tuple(lags))
            self._changed.add(name)
