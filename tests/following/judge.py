"""Was it true? Before and after in plain SQL, against what a remedy says that it loses and leads to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from replfix.lab.flavours import ChannelState
from tests.following.looking import Held, Row, Seen

Remedy = Mapping[str, Any]
"""One of ``advice[]``, as ``replfix diagnose --json`` prints it."""
_ALTERS = re.compile(r"ALTER TABLE `([^`]+)`\.`([^`]+)` ")
_WORKER = re.compile(r"\bWorker \d+ ")


def gone(before: Seen, after: Seen) -> dict[str, int]:
    """What a server held and does not hold any more: rows by table, values by column (``schema.table.column``). Rows that lie in a
    table of another name now are not gone."""
    found: dict[str, int] = {}
    for name, held in before.tables.items():
        now = after.tables.get(name)
        if now is not None and not now.readable:
            continue
        elsewhere = sum((_named(other) for there, other in after.tables.items() if there != name), Counter[Row]())
        if not _named(held) - elsewhere:
            continue
        own = [column for column in held.columns if now is None or not _worked_out_anew(held, now, column)]
        kept = [column for column in own if now is not None and column in now.columns]
        if now is None or not kept:
            _note(found, name, (_named(held) - elsewhere).total())
            continue
        for column in own:
            if column not in kept and not _renamed(held, now, kept, column):
                values = held.only([column]).items()
                _note(found, f"{name}.{column}", sum(count for row, count in values if row != (None,)))
        lost = _named(held, kept) - _named(now, kept) - elsewhere
        _note(found, name, sum(count for row, count in lost.items() if not _filled_in(row, _named(now, kept))))
    return found


def _worked_out_anew(held: Held, now: Held, column: str) -> bool:
    """A generated column whose expression is another one now: its values were never anybody's."""
    clauses = [
        re.search(rf"^ *`{re.escape(column)}` .*GENERATED ALWAYS.*$", each.definition, re.M) for each in (held, now)
    ]
    return all(clauses) and len({clause[0].strip(" ,") for clause in clauses if clause is not None}) > 1


def _filled_in(row: Row, now: Counter[Row]) -> bool:
    """It is there with a value where it had NULL."""
    known = {value for value in row if value is not None and not value.endswith("=None")}
    return len(known) < len(row) and any(known <= set(other) for other in now)


def as_far_as_the_source_has_it(seen: Seen, source: Seen) -> Seen:
    """Without the rows that are not on the source: a remedy that carries a transaction out changes and deletes what it does."""
    tables = {
        name: replace(held, rows=held.rows & source.tables[name].rows)
        for name, held in seen.tables.items()
        if name in source.tables
    }
    return replace(seen, tables=tables)


def _renamed(held: Held, now: Held, kept: Sequence[str], column: str) -> bool:
    """A column of another name holds its values."""
    new = [other for other in now.columns if other not in held.columns]
    return any(now.only([*kept, other]) == held.only([*kept, column]) for other in new)


def _note(found: dict[str, int], what: str, number: int) -> None:
    if number:
        found[what] = number


def _named(held: Held, columns: Sequence[str] | None = None) -> Counter[Row]:
    """Rows by the names of their columns too, so that the same row is found in another table."""
    columns = held.columns if columns is None else columns
    named: Counter[Row] = Counter()
    for row, count in held.only(columns).items():
        named[tuple(f"{c}={v!r}" for c, v in sorted(zip(columns, row, strict=True)))] += count
    return named


def unnamed_losses(remedies: Sequence[Remedy], lost: Mapping[str, int]) -> Iterator[str]:
    """Of what is gone, what the remedies do not name, and what they name wrongly."""
    said = {loss["of"]: loss["number"] for remedy in remedies for loss in remedy["loses"]}
    for of, number in lost.items():
        if of not in said:
            yield f"lost without a word: {number} of {of}"
        elif said[of] not in (None, number):
            yield f"{said[of]} of {of} were to be lost, {number} were"


def differing(source: Seen, replica: Seen) -> list[str]:
    """Tables of the source whose rows the replica does not have, as far as the source's columns go."""
    found: list[str] = []
    for name, theirs in source.tables.items():
        ours = replica.tables.get(name)
        if ours is None:
            found.append(f"{name} is not on the replica")
        elif missing := [column for column in theirs.columns if column not in ours.columns]:
            found.append(f"{name} has no {', '.join(missing)} on the replica")
        elif (here := ours.only(theirs.columns)) != theirs.rows:
            only_there, only_here = list(theirs.rows - here), list(here - theirs.rows)
            found.append(f"{name}: only on the source {only_there[:5]}, only on the replica {only_here[:5]}")
    return found


def _said(channel: ChannelState) -> str:
    """Of its error; whichever worker it was that stopped."""
    return _WORKER.sub("", channel.error.message) if channel.error is not None else ""


def untrue(code: str, before: Seen, after: Seen, source: Seen, ran: Sequence[str] = ()) -> str | None:
    """Why it is not so as ``leads_to`` says; None when it is. ``before`` and ``after`` are the replica's; ``ran``: the statements."""
    channel = after.channel
    if channel is None:
        return "the replica has no channel any more"
    stopped = f"the applier has stopped: {channel.error.message}" if channel.error else "the applier is stopped"
    same = before.channel is not None and channel.error is not None and _said(channel) == _said(before.channel)
    match code:
        case "next-transaction" | "left-out" | "carried-out":
            if not channel.applier_running and (same or not after.executed - before.executed):
                return f"the same transaction again: {stopped}"
            return None
        case "channel-runs":
            if not channel.receiver_running:
                return f"the receiver does not run: {channel.receiver_message}"
            return None if channel.applier_running or not same else stopped
        case "receiver-runs":
            return None if channel.receiver_running else f"the receiver does not run: {channel.receiver_message}"
        case "table-repaired":
            unreadable = [name for name, held in after.tables.items() if not held.readable]
            return f"{unreadable[0]} cannot be read" if unreadable else None
        case "receiver-tries":
            return None if channel.receiver_running or channel.receiver_message else "the receiver was not started"
        case "real-error" | "next-row":
            return stopped if same else None
        case "not-errant":
            left = after.executed - source.executed
            return f"only the replica has {left}" if left else None
        case "rows-equal":
            return "; ".join(differing(source, after)) or None
        case "settled":
            return untrue("not-errant", before, after, source) or untrue("rows-equal", before, after, source)
        case "same-columns":
            altered = {f"{found[1]}.{found[2]}" for statement in ran if (found := _ALTERS.match(statement))}
            if not altered:
                return "no table was altered"
            for name, theirs in source.tables.items():
                ours = after.tables.get(name) if name in altered else None
                if ours is not None and ours.columns[: len(theirs.columns)] != theirs.columns:
                    return f"{name} has {ours.columns} on the replica, {theirs.columns} on the source"
            return None
        case "definition-restored" | "nothing-changed" | "next-step" | "relay-log-kept" | "fewer-errant":
            return None  # the losses tell
        case _:
            return f"no judge knows {code}"
