"""The time that a log's line carries, as the line writes it: zones differ from log to log and are not guessed at."""

from __future__ import annotations

import re
from datetime import UTC, datetime

HEAD = 200
DOCUMENT_HEAD = 4_000

_TIME = re.compile(
    r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d|(?: [A-Z]{3,4}\b)| [+-]\d{4})?"
    r"|\d\d[-/][A-Z][a-z]{2}[-/]\d{4}[: ]\d\d:\d\d:\d\d(?: [+-]\d{4}| UTC)?"
    r"|(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?(?: \d{4})?"
    r"|\b\d{6} [ \d]\d:\d\d:\d\d"
    r"|\b\d{8} \d{6}\b"
)
_EPOCH = re.compile(r'"(?:time|ts|timestamp|@timestamp|t)":\s?"?(\d{10}|\d{13})(?:\.\d{1,9})?\b')


def time_of(line: str) -> str | None:
    """Return the first time in the line's head; in a JSON line anywhere, epoch seconds and milliseconds too."""
    if not line.lstrip().startswith("{"):
        found = _TIME.search(line, 0, HEAD)
        return found[0] if found else None
    if epoch := _EPOCH.search(line, 0, DOCUMENT_HEAD):
        seconds = int(epoch[1]) / (1000 if len(epoch[1]) == 13 else 1)
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    found = _TIME.search(line, 0, DOCUMENT_HEAD)
    return found[0] if found else None
