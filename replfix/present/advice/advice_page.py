"""A report of the advisor in the order in which it is read: the same parts for text, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from replfix.core.advisor.changes import Changes, Mark
from replfix.core.advisor.finding import Finding, Severity
from replfix.core.advisor.head_room import HeadRoom, head_rooms
from replfix.core.advisor.node import Node
from replfix.core.advisor.number_map import NumberMap, Writer, number_map
from replfix.core.advisor.rollout import Rollout
from replfix.core.advisor.survey import Report
from replfix.core.advisor.writers import writers
from replfix.core.words import counted

MARKS = {Severity.CRITICAL: "✘", Severity.WARNING: "!", Severity.INFO: "i"}
SERVER_COLUMNS = (
    "server",
    "version",
    "writes",
    "increment/offset",
    "after restart",
    "reads from",
    "own inserts, of the log that was read",
)
ROOMS = 20
NUMBER_MAP = "Which server hands out which number"


@dataclass(frozen=True, slots=True)
class Page:
    """A report, with what has changed since an earlier one and the rollout plan where these were asked for."""

    report: Report
    changes: Changes | None = None
    rollout: Rollout | None = None

    @property
    def title(self) -> str:
        """What the report is about, with the names of its servers."""
        return f"How {_listed([node.name for node in self.report.survey.nodes])} keep their keys apart"

    @property
    def verdict(self) -> str:
        """How many findings there are of each severity, in one or two sentences."""
        number = {severity: sum(f.severity is severity for f in self.report.findings) for severity in Severity}
        found = ", ".join(f"{count} {severity.value}" for severity, count in number.items() if count)
        if not found:
            return "Nothing was found."
        return f"Found: {found}." if self.report.needs_doing else f"Nothing needs doing. Found: {found}."

    @property
    def worst(self) -> Severity | None:
        """The gravest severity found; None without findings."""
        return min((f.severity for f in self.report.findings), key=lambda s: s.order, default=None)

    def servers(self) -> list[tuple[str, ...]]:
        """Return a row for each server, under ``SERVER_COLUMNS``."""
        survey = self.report.survey
        writing = {node.uuid for node in writers(survey)}
        names = {node.uuid: node.name for node in survey.nodes}
        return [
            (
                node.name,
                node.version,
                "✔ yes" if node.uuid in writing else "read-only" if node.read_only else "no",
                str(node.step),
                f"{_or_unknown(node.increment.after_restart)}/{_or_unknown(node.offset.after_restart)}",
                ", ".join(names.get(c.source_uuid, f"{c.source_host}:{c.source_port}") for c in node.channels) or "-",
                _wrote(node),
            )
            for node in survey.nodes
        ]

    def remedies(self) -> Iterator[tuple[Finding, tuple[str, ...]]]:
        """Yield each finding with the lines that help; a repeated remedy refers to the finding that has it already."""
        said: dict[tuple[str, ...], str] = {}
        for finding in self.report.findings:
            if finding.fix_sql in said:
                yield finding, (f"-- as above, for {said[finding.fix_sql]}",)
                continue
            if finding.fix_sql:
                said[finding.fix_sql] = finding.code
            yield finding, tuple(statement(line) for line in finding.fix_sql)

    def maps(self) -> list[tuple[str, NumberMap]]:
        """Return the maps of two writers or more: now, and with the plan's values where these are others."""
        now = [Writer(node.name, node.step) for node in writers(self.report.survey)]
        found = [("now", number_map(now))] if len(now) > 1 else []
        if self.rollout is not None:
            then = [
                Writer(p.node.name if p.node is not None else f"(writer {number})", p.step)
                for number, p in enumerate(self.rollout.places.each, 1)
            ]
            if then != now:
                found.append(("with the plan", number_map(then)))
        return [(title, numbers) for title, numbers in found if numbers is not None]

    def rooms(self) -> list[HeadRoom]:
        """Return the head room of at most ``ROOMS`` columns, the fullest first."""
        return sorted(head_rooms(self.report.survey), key=lambda room: (-room.used, str(room.table)))[:ROOMS]

    def changed(self) -> list[tuple[str, str]]:
        """Return each change since the earlier report: a word, and what it is about."""
        changes = self.changes
        if changes is None:
            return []
        return [
            *(("new", _marked(mark)) for mark in changes.new),
            *(("graver", _marked(mark)) for mark in changes.graver),
            *(("gone", _marked(mark)) for mark in changes.gone),
            *(("new", f"server {name}") for name in changes.servers_new),
            *(("gone", f"server {name}: it was not read this time") for name in changes.servers_gone),
        ]

    @property
    def since(self) -> str:
        """One sentence on the earlier report; empty without one."""
        if self.changes is None:
            return ""
        when = f"{self.changes.since:%Y-%m-%d %H:%M} UTC"
        if self.changes.nothing:
            return f"As in the report of {when}: the same {counted(self.changes.remaining, 'finding')}."
        return f"Since the report of {when}; {counted(self.changes.remaining, 'finding')} of it still there."


def room_words(room: HeadRoom) -> str:
    """Return how much is left and for how long, without the table's name."""
    until = ""
    if room.days is not None:
        earliest, latest = room.days
        until = f", {earliest:,.0f} days" + (" or more" if latest is None else f" to {latest:,.0f} days")
    return f"{room.left:,} of {room.limit:,} left{until}"


def bar(share: float, width: int) -> str:
    """Return a bar of ``width`` characters, filled as far as ``share`` (0 to 1)."""
    full = round(share * width)
    return "█" * full + "░" * (width - full)


def statement(line: str) -> str:
    """Return a line of ``fix_sql`` as it is typed: a statement ends with a semicolon, a comment does not."""
    return line if line.startswith("--") else f"{line};"


def _marked(mark: Mark) -> str:
    return f"{mark.message} [{mark.code}]"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _or_unknown(number: int | None) -> str:
    return "?" if number is None else str(number)


def _wrote(node: Node) -> str:
    log = node.log
    if log is None:
        return "?"
    if not log.transactions:
        return "none"
    rows = sum(inserts.rows for inserts in log.inserts.values())
    since = f" since {log.since:%Y-%m-%d %H:%M}" if log.since is not None else ""
    return f"{counted(rows, 'row')} in {counted(log.transactions, 'transaction')}{since}"
