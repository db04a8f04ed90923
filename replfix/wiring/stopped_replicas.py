"""Which of several replicas are stopped: an answer in a moment, for a question that is asked anyway."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from replfix.config import Target
from replfix.errors import ReplfixError
from replfix.wiring.servers import TargetConnections

PATIENCE_SECONDS = 3.0


def stopped_replicas(targets: Sequence[Target], patience: float = PATIENCE_SECONDS) -> str:
    """Return a sentence that names those that are stopped, with the error; '' where none is known to be.

    Nobody is asked for a password. A server that does not answer in ``patience`` seconds counts as unknown.
    """
    found: dict[str, str] = {}

    def look(target: Target) -> None:
        try:
            with TargetConnections(target) as wired:
                status = wired.replica.status()
        except ReplfixError:
            return
        if stopped := [c for c in status.channels if not c.applier_running]:
            failure = stopped[0].failure
            found[target.name] = target.name if failure is None else f"{target.name} (error {failure.errno})"

    threads = [threading.Thread(target=look, args=(target,), daemon=True) for target in targets]
    until = time.monotonic() + patience
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    named = [text for target in targets if (text := dict(found).get(target.name))]
    return f"Stopped: {', '.join(named)}." if named else ""
