"""Where a trail ended at some time, kept outside of it: what was cut off or written anew behind that is told by it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

from replfix.core.trail.audit_record import ID_DIGITS, canonical

MARK = "replfix audit anchor "
"""What stands before the JSON of one in a line, whatever a syslog puts before that."""


@dataclass(frozen=True, slots=True)
class Anchor:
    trail: str  # its name; of a file with its host
    seq: int
    hash: str
    anchored_at: str  # UTC, ISO 8601
    author: str  # user@host

    @property
    def id(self) -> str:
        return self.hash[:ID_DIGITS]

    @property
    def line(self) -> str:
        return MARK + canonical(asdict(self))


_TYPES = {field.name: int if field.name == "seq" else str for field in fields(Anchor)}


def anchor_of(line: str) -> Anchor | None:
    """The one in a line of an anchor file or of a syslog; None where there is none."""
    _, mark, text = line.partition(MARK)
    try:
        found = json.loads(text) if mark else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or {name: type(value) for name, value in found.items()} != _TYPES:
        return None
    return Anchor(**found)
