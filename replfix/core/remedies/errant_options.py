"""The options for errant transactions, with their statements: for a human, replfix runs none of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from replfix.core import sql
from replfix.core.plan.plan import Step, StepKind
from replfix.core.remedies.errant_rows import RowComparison, Verdict
from replfix.core.remedies.errant_transactions import Errant, WayOut, in_words
from replfix.core.remedies.remedy import REPLICA, LeadsTo, Loss, Remedy
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.core.words import counted

STATEMENTS_FOR = 100
"""Transactions for which the SQL is written out; the next run of the command has the next ones."""

_REACHES = "That reaches every replica"
_NOT_THE_OTHERS = " The others stay errant: their numbers are not above all that the source has in their domain, or another server wrote them."


@dataclass(frozen=True, slots=True)
class Settlement:
    """Where empty transactions are committed, and whether they can be."""

    status: ReplicaStatus
    channel: ChannelStatus
    gtids: GtidSet
    there: GtidSet  # what the source has executed
    top: str  # the server from which all others get what is written, which in a chain is not the source

    @property
    def mariadb(self) -> bool:
        """Whether the replica is a MariaDB."""
        return self.status.product == "MariaDB"

    @property
    def numbered(self) -> tuple[sql.Numbered, ...]:
        """Of MariaDB the newest of each domain that is above all that the source has in that domain: another would be out of order.

        Only of the replica's own: those of others would come to it as if they were new.
        """
        highest: dict[str, int] = {}
        for (domain, _), intervals in self.there.intervals:
            highest[domain] = max(highest.get(domain, 0), intervals[-1][1])
        own = self.gtids.of_uuid(self.status.server_uuid)
        newest = (sql.Numbered(int(domain), int(server), spans[-1][1]) for (domain, server), spans in own.intervals)
        return tuple(each for each in newest if each.number > highest.get(str(each.domain), 0))

    @property
    def possible(self) -> bool:
        """Whether the source can log something under their numbers."""
        return bool(self.numbered) if self.mariadb else True

    @property
    def shown(self) -> tuple[str, ...]:
        """The GTIDs for which the SQL is written out, the oldest first."""
        return tuple(islice(self.gtids.newest_first(), STATEMENTS_FOR))[::-1]

    @property
    def further(self) -> int:
        """How many more there are."""
        return 0 if self.mariadb else len(self.gtids) - len(self.shown)

    @property
    def whole(self) -> bool:
        """Whether the SQL is for all of them: on MariaDB, not for those that cannot be logged there."""
        if not self.mariadb:
            return self.further == 0
        logged = {(str(each.domain), str(each.server)) for each in self.numbered}
        return all(origin in logged for origin, _ in self.gtids.intervals)

    def sql(self, statements: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return what commits nothing under the GTIDs, and those statements under the newest of them."""
        if self.mariadb:
            return sql.numbered(self.numbered, statements)
        if not statements:
            return sql.empty_transactions(self.shown)
        *others, newest = self.shown
        return (*(sql.empty_transactions(others) if others else ()), *sql.under_gtid(newest, statements))


def ways_out(
    status: ReplicaStatus, channel: ChannelStatus, gtids: GtidSet, there: GtidSet, top: str
) -> tuple[WayOut, ...]:
    """Return the options that need no look at the rows. ``there`` and ``top`` as in ``Settlement``."""
    settlement = Settlement(status, channel, gtids, there, top)
    return (*([WayOut("empty-transactions", (_empty(settlement),))] if settlement.possible else ()), _leave(settlement))


def _empty(of: Settlement, leads_to: LeadsTo = LeadsTo.NOT_ERRANT, rows: str = "") -> Remedy:
    rows = rows or "Rows that they changed here stay as they are, and differ from the source's."
    if of.mariadb:
        return Remedy(
            "Log nothing under the newest number of each domain: the statement drops a procedure that does not exist, for MariaDB logs no "
            f"empty transaction. {_REACHES}; this one skips it, because it has its own server_id. From then on the "
            "position of every server that gets it is past these numbers, and it does not ask for them. A server that replicates "
            f"from this one gets nothing of it from here. {rows}{'' if of.whole else _NOT_THE_OTHERS}",
            of.sql(),
            leads_to if of.whole else LeadsTo.FEWER_ERRANT,
            where=of.top,
        )
    text = (
        f"Commit an empty transaction under each of these GTIDs. {_REACHES}; this one skips them, because it has them. "
        f"From then on no server asks for them. {rows}"
    )
    if of.gtids.of_uuid(of.channel.source_uuid):
        text += (
            " Some are the source's own: it has lost them (restored, or reset), and will give their numbers to other transactions, "
            "which this replica then skips without an error. Do this before that."
        )
    if of.further:
        text += f" The SQL is for the newest {len(of.shown)} of {len(of.gtids):,}."
    return Remedy(text, of.sql(), leads_to if of.whole else LeadsTo.FEWER_ERRANT, where=of.top)


def _leave(of: Settlement) -> WayOut:
    if of.mariadb:
        remedy = Remedy(
            "Leave them. MariaDB keeps one position for each domain and no set of what was executed. The replica runs on. When it becomes the source, a replica whose position is before these "
            "gets them, and one whose position is not in its binlog is refused (error 1236). Before a failover, make the rows the same on both servers, or build the other replicas from this one. The SQL shows what is in its binlog of each server.",
            (sql.BINLOG_STATE,),
            LeadsTo.NOTHING_CHANGED,
        )
    else:
        remedy = Remedy(
            "Leave them: harmless until another server replicates from this one. That one fetches and applies them, or stops with error "
            "1236 if they were purged. The SQL shows which are still in the binlog; commit empty transactions for the rest before a failover.",
            (sql.still_in_binlog(str(of.gtids)),),
            LeadsTo.NOTHING_CHANGED,
        )
    return WayOut("leave", (remedy,))


@dataclass(frozen=True, slots=True)
class RowWrites:
    """Statements that give rows of one server the other's values. ``reason``: why there are none, a sentence."""

    steps: tuple[Step, ...] = ()
    reason: str = ""
    fires: tuple[str, ...] = ()  # triggers that fire with it
    left_out: tuple[str, ...] = ()  # rows that the statements are not for, and why: sentences


@dataclass(frozen=True, slots=True)
class Writes:
    """``on_source``: the replica's rows for the source; ``on_replica``: the source's rows for the replica."""

    on_source: RowWrites = RowWrites()
    on_replica: RowWrites = RowWrites()
    below: tuple[str, ...] = ()  # servers that replicate from the replica


def options(
    errant: Errant, of: Settlement, compared: RowComparison, writes: Writes, purged: GtidSet
) -> tuple[WayOut, ...]:
    """Return the alternatives for the errant transactions of which the rows were compared, each with its steps.

    ``purged``: those that the replica's binlog no longer has.
    """
    unknown = _unknown(errant, compared, purged)
    different = compared.different
    if not different and not unknown:
        rows = "The rows that they changed are the same on the source by now: nothing is lost."
        found = [WayOut("empty-transactions", (_empty(of, LeadsTo.SETTLED, rows),))] if of.possible else []
        return (*found, _leave(of))
    ways = [_revert(of, writes, unknown), _keep(of, writes, unknown)] if different else []
    if of.possible:
        ways.append(WayOut("empty-transactions", (_empty(of, LeadsTo.NOT_ERRANT, _stay(len(different), unknown)),)))
    return (*ways, _rebuild(), _leave(of))


def _stay(different: int, unknown: str) -> str:
    rows = f"{counted(different, 'row')} that {'differs' if different == 1 else 'differ'} {'stays' if different == 1 else 'stay'} as on each server. "
    return f"{rows if different else ''}{unknown}".strip()


def _unknown(errant: Errant, compared: RowComparison, purged: GtidSet) -> str:
    """Return what is not settled by statements about rows, in a sentence; empty for nothing."""
    shown = errant.of(errant.gtids)
    unread = [one.gtid for one in shown if compared.verdict_of(one) is Verdict.UNDETERMINED]
    further = len(errant.gtids) - len(shown) if errant.gtids.counts else 0
    parts = [f"what {', '.join(unread[:5])}{' …' if len(unread) > 5 else ''} changed"] if unread else []
    parts += [f"what {counted(further, 'older transaction')} changed"] if further else []
    if not errant.gtids.counts and (purged or not shown):
        parts += [f"what the binlog no longer has ({purged or errant.gtids})"]
    parts += [f"rows of {', '.join(map(str, compared.not_compared))}"] if compared.not_compared else []
    parts += (
        [f"rows of {', '.join(map(str, compared.by_cascade))} that foreign keys changed"] if compared.by_cascade else []
    )
    parts += ["rows beyond the limit"] if compared.left_out else []
    waiting = len(compared.undetermined)
    parts += (
        [
            f"{counted(waiting, 'row')} that the backlog can change, or that {'is' if waiting == 1 else 'are'} being written to"
        ]
        if waiting
        else []
    )
    if not parts:
        return ""
    return f"Unknown, and not dealt with: {', and '.join(parts)}."


def _losses(steps: tuple[Step, ...]) -> tuple[Loss, ...]:
    gone = Counter(str(step.table) for step in steps if step.current is not None and not _moved(step, steps))
    return tuple(Loss(number, "row", table) for table, number in gone.items())


def _moved(step: Step, steps: tuple[Step, ...]) -> bool:
    """Return whether another step writes that very row again."""
    return step.target is None and any(other.table == step.table and other.target == step.current for other in steps)


def _what(steps: tuple[Step, ...]) -> str:
    number = Counter(step.kind for step in steps)
    verbs = ((StepKind.INSERT, "inserts"), (StepKind.UPDATE, "changes"), (StepKind.DELETE, "deletes"))
    done = [f"{verb} {counted(number[kind], 'row')}" for kind, verb in verbs if number[kind]]
    return " and ".join([", ".join(done[:-1]), done[-1]] if len(done) > 1 else done)


def _statements(steps: tuple[Step, ...]) -> tuple[str, ...]:
    return tuple(step.sql for step in steps)


def _revert(of: Settlement, writes: Writes, unknown: str) -> WayOut:
    """Return the option of taking the source's rows for right."""
    here = writes.on_replica
    what = "Make the replica's rows the source's"
    if here.reason:
        return WayOut("revert", (Remedy(f"{what}: no statements for that. {here.reason}"),))
    left = _left(here, unknown)
    below = (
        f" Replicas of this one ({', '.join(writes.below)}) do not get that: do the same there." if writes.below else ""
    )
    text = f"{what}, not logged: {_what(here.steps)}. {_AS_READ}{below}{left}"
    run = sql.by_hand(
        (*sql.SESSION_SETTINGS, "BEGIN", *_statements(here.steps), "COMMIT"), super_read_only=of.status.super_read_only
    )
    loses = _losses(here.steps)
    if not of.possible:
        return WayOut("revert", (Remedy(text, run, LeadsTo.ROWS_EQUAL, where=REPLICA, loses=loses),))
    then = _empty(of, _settled(left), "The rows of step 1 are the source's by then.")
    return WayOut("revert", (Remedy(text, run, LeadsTo.NEXT_STEP, where=REPLICA, loses=loses), then))


def _keep(of: Settlement, writes: Writes, unknown: str) -> WayOut:
    """Return the option of taking the replica's rows for right."""
    there = writes.on_source
    what = "Write the replica's rows on the source"
    reason = there.reason or ("" if of.possible else _NO_NUMBER)
    if reason:
        return WayOut("keep", (Remedy(f"{what}: no statements for that. {reason}"),))
    left = _left(there, unknown)
    under, skips = ("numbers", "has its own server_id") if of.mariadb else ("GTIDs", "has it")
    fires = f" Triggers that fire there: {', '.join(there.fires)}." if there.fires else ""
    text = (
        f"{what}, under the newest of these {under}: {_what(there.steps)}. {_REACHES}; this one skips it, because it {skips}. "
        f"{_AS_READ}{fires}{left}"
    )
    run = (*sql.SESSION_SETTINGS, *of.sql(_statements(there.steps)))
    leads_to = _settled(left) if of.whole else LeadsTo.FEWER_ERRANT
    return WayOut("keep", (Remedy(text, run, leads_to, where=of.top, loses=_losses(there.steps)),))


_AS_READ = "The values are as they were read: run 'replfix errant' again right before."
_NO_NUMBER = "No number of these transactions can be logged there: each is at or below one that the source has in its domain, or another server's."


def _left(of: RowWrites, unknown: str) -> str:
    """Return what those statements do not deal with, to follow a sentence; empty for nothing."""
    return "".join(f" {each}" for each in (*([unknown] if unknown else []), *of.left_out))


def _settled(left: str) -> LeadsTo:
    return LeadsTo.NOT_ERRANT if left else LeadsTo.SETTLED


def _rebuild() -> WayOut:
    return WayOut(
        "rebuild",
        (
            Remedy(
                "Build the replica anew from its source (CLONE, or a backup of the source): it loses every row and object that only the replica has, "
                "those of transactions that could not be read included. Afterwards it has the source's GTIDs only."
            ),
        ),
    )


def consequences(errant: Errant, purged: GtidSet, below: tuple[str, ...], beside: tuple[str, ...]) -> Iterator[str]:
    """Yield what follows from leaving them, in sentences. ``purged``: those that the replica's binlog no longer has."""
    if not errant.gtids:
        return
    yield "Nothing happens between this server and its source, which does not ask for them."
    still = errant.gtids - purged
    if still and not (purged and errant.gtids.counts):
        yield (
            "After a fail-over to this replica, servers that then replicate from it ask for them, and apply them late or stop on them "
            "(error 1062 or 1032)."
        )
    if purged and errant.gtids.counts:
        yield (
            "A server that replicates from this replica, now or after a fail-over, and does not have them stops with error 1236 "
            f"when it connects: {in_words(purged)} {'is' if len(purged) == 1 else 'are'} purged from its binlog ({purged})."
        )
    elif purged:
        yield (
            "A server that replicates from this replica, now or after a fail-over, and is at a position before them is refused "
            f"(error 1236): they are not in its binlog any more ({purged})."
        )
    if beside:
        yield f"Servers that replicate from the same source, and do not have them: {', '.join(beside)}."
    if below:
        yield f"Servers that replicate from this replica, and get them: {', '.join(below)}."
