"""What happened since the app started, for the log pane. Bounded; safe to add to from any thread."""

from __future__ import annotations

import threading
from collections import deque
from datetime import UTC, datetime

from replfix.core.binlog.secrets import without_passwords

KEPT = 2000


class Journal:
    """The last ``KEPT`` lines, each with its time in UTC. ``count`` is of all lines ever added."""

    def __init__(self) -> None:
        self._lines: deque[tuple[datetime, str]] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        self.count = 0  # of all lines ever added

    def add(self, text: str) -> None:
        """Add a line with the time of now, without the passwords of URLs."""
        with self._lock:
            self._lines.append((datetime.now(UTC), without_passwords(text)))
            self.count += 1

    def lines(self) -> tuple[tuple[datetime, str], ...]:
        """Return the lines that are kept, the oldest first."""
        with self._lock:
            return tuple(self._lines)
