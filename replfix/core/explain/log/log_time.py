"""The time that a log's line carries, as the line writes it: zones differ from log to log and are not guessed at."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache

HEAD = 200
DOCUMENT_HEAD = 4_000

# Any other word there (INFO, WARN, POST) is the log's own.
_ZONE = (
    r"UTC|GMT|[CEW]ES?T|BST|IST|MSK|[CEMP][SD]T|AK[SD]T|A[SD]T|N[SD]T|HST|[JKS]ST|A[CEW][SD]T|NZ[SD]T|SGT|HKT|PKT|WIB|"
    r"SAST|BRT|ART|CLT"
)
_FRACTION = r"(?:[.,]\d{1,9})?"
_TIME = re.compile(
    rf"\d{{4}}[-/.]\d\d[-/.]\d\d[T ] ?\d{{1,2}}:\d\d:\d{{1,2}}{_FRACTION}(?:Z|[+-]\d\d:?\d\d| (?:{_ZONE})\b| [+-]\d{{4}}\b)?"
    rf"|\d\d[-/][A-Z][a-z]{{2}}[-/]\d{{4}}[: ]\d\d:\d\d:\d\d{_FRACTION}(?: [+-]\d{{4}}| UTC)?"
    r"|(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?(?: \d{4})?"
    r"|\b\d{6} [ \d]\d:\d\d:\d\d"
    r"|\b\d{8} \d{6}\b"
    rf"|\b\d{{1,2}}\.\d{{1,2}}\.\d{{4}},? \d{{1,2}}:\d\d:\d\d{_FRACTION}"
    rf"|\b\d{{1,2}}/\d{{1,2}}/\d{{4}},? \d{{1,2}}:\d\d:\d\d{_FRACTION}(?: [AP]M)?"
    r"|(?<![\w.])[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{6}\b"
)
# What every time has; most lines have none of it, and this is found out quickly.
_CLOCKS = re.compile(r"\d(?::\d\d|\d{7} \d{6}|\d{9})")
# Only where a line begins, for a number and a clock can be anything elsewhere.
_AT_START = re.compile(
    rf"\s*\[?(?P<time>1\d{{9}}(?:\d{{3}})?(?:\.\d{{1,9}})?(?=[\s\]])|\d\d:\d\d:\d\d{_FRACTION}(?=[\s\]]))"
)
_EPOCH = re.compile(
    r'"(?:time|ts|timestamp|@timestamp|t|timestampSeconds|epoch\w{0,8}|__REALTIME_TIMESTAMP)"\s?:\s?'
    r'"?(\d{10}|\d{13}|\d{16}|\d{19})(?:\.\d{1,9})?\b'
)


def time_of(line: str) -> str | None:
    """Return the first time in the line's head; in a JSON line anywhere, seconds since 1970 (or parts of them) too."""
    if line.lstrip().startswith("{"):
        return time_of_document(line)
    found = find_time(line)
    return found[0] if found else None


def find_time(line: str, ends: int = HEAD) -> tuple[str, int, int] | None:
    """Return the first time in the line's head, up to ``ends``, with where it begins and ends."""
    ends = min(ends, HEAD)
    if _CLOCKS.search(line, 0, ends) is None:
        return None
    found = _TIME.search(line, 0, ends)
    if found is not None:
        return found[0], found.start(), found.end()
    first = _AT_START.match(line, 0, ends)
    return (first["time"], first.start("time"), first.end("time")) if first else None


def time_of_document(line: str) -> str | None:
    """Return the time of a JSON line."""
    if epoch := _EPOCH.search(line, 0, DOCUMENT_HEAD):
        seconds = int(epoch[1]) / 10 ** (len(epoch[1]) - 10)
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    found = _TIME.search(line, 0, DOCUMENT_HEAD)
    return found[0] if found else None


def has_fraction(text: str) -> bool:
    """Return whether the time is finer than a second."""
    return _FINE.search(text) is not None


_FINE = re.compile(r"(?:\d\d:\d\d:\d\d[.,]|^1\d{9}\.|^1\d{12}$)\d*")
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
NO_YEAR = 2000  # a leap year: the day in a line without a year can be 29 February
_CLOCK = re.compile(r"(?<!\d)(\d{1,2}):(\d\d):(\d{1,2})")
_ISO = re.compile(r"(\d{4})[-/.](\d\d)[-/.](\d\d)[T ]")
_NAMED = re.compile(r"(\d\d)[-/]([A-Z][a-z]{2})[-/](\d{4})")
_SYSLOG = re.compile(r"([A-Z][a-z]{2}) ([ \d]\d) ")
_YEAR_LAST = re.compile(r" (\d{4})$")
_SHORT = re.compile(r"(\d\d)(\d\d)(\d\d) ")
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d) (\d\d)(\d\d)(\d\d)$")
_GERMAN = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_KLOG = re.compile(r"[IWEF](\d\d)(\d\d) ")
_UNIX = re.compile(r"1\d{9}(?:\d{3})?(?:\.\d+)?$")


def seconds_of(text: str) -> int | None:
    """Return the time as whole seconds on the log's own clock, for differences; None when it names no such time.

    A line without a year is in the year 2000, one without a day on 1 January 2000, and no zone is converted.
    """
    if text[4:5] in ("-", "/") and text[13:14] == text[16:17] == ":":  # the most usual form
        try:
            day = _day_number(text[:10])
            return day if day is None else day + int(text[11:13]) * 3600 + int(text[14:16]) * 60 + int(text[17:19])
        except ValueError:
            pass
    return _whole_seconds(text)


@lru_cache(maxsize=64)
def _day_number(text: str) -> int | None:
    return _seconds(int(text[:4]), int(text[5:7]), int(text[8:10]), 0, 0, 0)


@lru_cache(maxsize=4096)
def _whole_seconds(text: str) -> int | None:
    if _UNIX.match(text):
        return int(text[:10])
    if compact := _COMPACT.match(text):
        return _seconds(*(int(part) for part in compact.groups()))
    clock = _CLOCK.search(text)
    if clock is None:
        return None
    hour, minute, second = (int(part) for part in clock.groups())
    if text.endswith("PM") and hour < 12:
        hour += 12
    elif text.endswith("AM") and hour == 12:
        hour = 0
    return _seconds(*_day(text), hour, minute, second)


def _day(text: str) -> tuple[int, int, int]:
    if found := _ISO.match(text):
        return int(found[1]), int(found[2]), int(found[3])
    if found := _NAMED.match(text):
        return int(found[3]), _MONTHS.get(found[2], 0), int(found[1])
    if found := _SYSLOG.search(text):
        year = _YEAR_LAST.search(text)
        return int(year[1]) if year else NO_YEAR, _MONTHS.get(found[1], 0), int(found[2])
    if found := _SHORT.match(text):
        return 2000 + int(found[1]), int(found[2]), int(found[3])
    if found := _GERMAN.match(text):
        return int(found[3]), int(found[2]), int(found[1])
    if found := _SLASHED.match(text):
        first, second, year_text = int(found[1]), int(found[2]), int(found[3])
        return (year_text, second, first) if first > 12 else (year_text, first, second)
    if found := _KLOG.match(text):
        return NO_YEAR, int(found[1]), int(found[2])
    return NO_YEAR, 1, 1


_EPOCH_DAY = date(1970, 1, 1).toordinal()


def _seconds(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int | None:
    try:
        return ((date(year, month, day).toordinal() - _EPOCH_DAY) * 24 + hour) * 3600 + minute * 60 + second
    except ValueError:
        return None
