"""Where a trail ended at some time, kept outside of it: it shows what was cut off or written anew since."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

from replfix.core.trail.audit_record import ID_DIGITS, canonical

MARK = "replfix audit anchor "
"""What precedes the JSON of one in a line, whatever a syslog puts before that."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The end of a trail as it was at some time."""

    trail: str  # its name; of a file with its host
    seq: int
    hash: str
    anchored_at: str  # UTC, ISO 8601
    author: str  # user@host

    @property
    def id(self) -> str:
        """What people and scripts call the last record by."""
        return self.hash[:ID_DIGITS]

    @property
    def line(self) -> str:
        """The text that an anchor file or a syslog gets."""
        return MARK + canonical(asdict(self))


_TYPES = {field.name: int if field.name == "seq" else str for field in fields(Anchor)}


def anchor_of(line: str) -> Anchor | None:
    """Return the one in a line of an anchor file or of a syslog; None where there is none."""
    _, mark, text = line.partition(MARK)
    try:
        found = json.loads(text) if mark else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or {name: type(value) for name, value in found.items()} != _TYPES:
        return None
    return Anchor(**found)
