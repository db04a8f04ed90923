"""What is new in a report, and what is gone, compared with an earlier one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from replfix.core.diagnosis.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class Mark:
    """The parts of a finding that are kept in a report's document and identify it later."""

    code: str
    severity: str
    node: str | None
    table: str | None
    message: str

    @property
    def place(self) -> tuple[str, str, str]:
        """What makes it the same finding in two reports."""
        return self.code, self.node or "", self.table or ""


def marks(findings: Iterable[Finding]) -> tuple[Mark, ...]:
    """Return the marks of those findings."""
    return tuple(
        Mark(f.code, f.severity.value, f.node, None if f.table is None else str(f.table), f.message) for f in findings
    )


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed between two reports."""

    since: datetime
    new: tuple[Mark, ...]
    gone: tuple[Mark, ...]
    graver: tuple[Mark, ...]  # as they are now
    remaining: int  # these included
    servers_new: tuple[str, ...]
    servers_gone: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        """Whether nothing changed."""
        return not (self.new or self.gone or self.graver or self.servers_new or self.servers_gone)


_ORDER = [severity.value for severity in Severity]


def compare(
    since: datetime,
    earlier: Iterable[Mark],
    now: Iterable[Mark],
    *,
    servers_earlier: Sequence[str],
    servers_now: Sequence[str],
) -> Changes:
    """Compare the findings of two reports; those at the same place are the same, as numbers in messages change daily.

    Of several at one place, those with the same message are paired first.
    """
    left: defaultdict[tuple[str, str, str], list[Mark]] = defaultdict(list)
    for mark in earlier:
        left[mark.place].append(mark)
    pairs: list[tuple[Mark, Mark]] = []
    unpaired: list[Mark] = []
    for mark in now:
        same = next((old for old in left[mark.place] if old.message == mark.message), None)
        if same is None:
            unpaired.append(mark)
        else:
            left[mark.place].remove(same)
            pairs.append((same, mark))
    new: list[Mark] = []
    for mark in unpaired:
        if left[mark.place]:
            pairs.append((left[mark.place].pop(0), mark))
        else:
            new.append(mark)
    return Changes(
        since,
        tuple(new),
        tuple(mark for marks in left.values() for mark in marks),
        tuple(mark for old, mark in pairs if _ORDER.index(mark.severity) < _ORDER.index(old.severity)),
        len(pairs),
        tuple(name for name in servers_now if name not in servers_earlier),
        tuple(name for name in servers_earlier if name not in servers_now),
    )
