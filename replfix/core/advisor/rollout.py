"""From a survey to a plan: which server works with which increment and offset, and how they get there.

The order, and why nothing collides in between:

* While two servers write and one of them has the old values, both can give the same number. So where old and new values meet, one server alone writes until nobody has old values any more.
* All writes are stopped until each server has the rows of all others: from there on every counter is above every number that was given.
* A session keeps the values that it had when it was opened (MySQL manual, "SET Syntax for Variable Assignment"). So the one that writes does so with old and new values side by side, which is safe because nobody else writes.
* The others are opened when it has no such session left, and when all that it wrote until then has arrived.
* Where new values only give numbers of the class that the server has already, no writes have to be stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

from replfix.core import sql
from replfix.core.advisor.allocation import left, next_ids
from replfix.core.advisor.key_kinds import SMALL, KeyKind, kind_of
from replfix.core.advisor.node import IncrementSetting, Node
from replfix.core.advisor.offsets import Places, WriterSlot, apart, choose
from replfix.core.advisor.sight import CounterView, at_least, counter, look
from replfix.core.advisor.simulation import IdAllocator, simulate
from replfix.core.advisor.survey import Survey
from replfix.core.advisor.writers import circles, overlap, upstream, writers
from replfix.core.schema.table import TableName
from replfix.core.words import counted
from replfix.errors import UsageError

SIMULATED_ROWS = 1000
IN_FLIGHT = 20
SHOWN_IDS = 3
SHOWN_TABLES = 10
MOST_SIMULATED = 40  # tables times servers: tens of thousands of rows take a tenth of a second

INCREMENT, OFFSET = "auto_increment_increment", "auto_increment_offset"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do before the next one.

    ``sql``: whole statements without a semicolon, for each server in ``nodes``, in one session; ``until``: the answer
    to wait for; the last statement is repeated until it comes.
    """

    title: str
    nodes: tuple[str, ...]  # Node.name
    sql: tuple[str, ...]
    until: str = ""
    undo: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NextIds:
    """The next numbers of a table on one server."""

    table: TableName
    node: str
    ids: tuple[int, ...]  # by the counters when they were read


@dataclass(frozen=True, slots=True)
class Simulated:
    """``rows`` on each server, ``in_flight`` of them on their way to the others at any time."""

    table: TableName
    rows: int
    in_flight: int
    collisions_now: int
    collisions_after: int


@dataclass(frozen=True, slots=True)
class Rollout:
    """The plan. ``holds``: servers stop accepting writes for a while. Without ``actions`` there is nothing to do."""

    places: Places
    holds: bool
    actions: tuple[Action, ...]
    back: tuple[Action, ...]
    option_lines: tuple[tuple[str, tuple[str, ...]], ...]  # for each server: what its option file has to say
    next_ids: tuple[NextIds, ...]
    simulated: tuple[Simulated, ...]
    notes: tuple[str, ...]

    @property
    def collisions_now(self) -> int:
        """Collisions in the simulation with today's values."""
        return sum(each.collisions_now for each in self.simulated)

    @property
    def collisions_after(self) -> int:
        """Collisions in the simulation with the new values."""
        return sum(each.collisions_after for each in self.simulated)


def rollout(survey: Survey, count: int | None = None) -> Rollout | None:
    """Return a plan for ``count`` writers, or for those found.

    None: nobody asked for a number, and there is no one group of servers whose rows come together. UsageError for an
    impossible number, and for one number with several such groups.
    """
    groups = groups_of(survey)
    if count is None and len(groups) != 1:
        return None
    if len(groups) > 1:
        raise UsageError(
            f"A plan is for servers whose rows meet, and here are {len(groups)} such groups: "
            f"{'; '.join(', '.join(_names(group)) for group in groups)}.",
            "Name the servers of one group: replfix advise NAME… --writers N.",
        )
    nodes = groups[0] if groups else writers(survey)
    places = choose(nodes, len(nodes) if count is None else count)
    sight = look(survey, nodes)
    holds = _holds(sight, places.each)
    actions: tuple[Action, ...] = ()
    if _to_set(places.each):
        actions = tuple(_held(survey, sight, places.each) if holds else _at_once(places))
    return Rollout(
        places,
        holds and bool(actions),
        actions,
        tuple(_back(sight, places.each, holds=holds)) if actions else (),
        tuple((p.node.name, _option_lines(p.step)) for p in places.each if p.node is not None),
        tuple(_next_ids(sight, places.each)),
        tuple(_simulated(sight, places.each)),
        tuple(_notes(survey, sight, places)),
    )


def groups_of(survey: Survey) -> list[tuple[Node, ...]]:
    """Writers whose rows come together, directly or by way of a third one, each in one group."""
    found: list[dict[str, Node]] = []
    for group in circles(survey):
        mine = {node.uuid: node for node in group}
        for other in [known for known in found if known.keys() & mine.keys()]:
            mine |= other
            found.remove(other)
        found.append(mine)
    return [tuple(sorted(group.values(), key=lambda n: n.name)) for group in found]


def _holds(sight: CounterView, places: Sequence[WriterSlot]) -> bool:
    """Return whether values that a server has, or had lately, can collide with another's, now or later."""
    there = [(place.node, place.step) for place in places if place.node is not None]
    return any(place.changes for place in places) and any(
        overlap(had, has)
        for (one, _), (other, then) in permutations(there, 2)
        if frozenset((one.uuid, other.uuid)) in sight.met
        for had in _had(one)
        for has in (*_had(other), then)
    )


def _had(node: Node) -> frozenset[IncrementSetting]:
    return frozenset({node.step, *(used.step for used in node.used_since_the_change)})


def _set(place: WriterSlot) -> tuple[str, ...]:
    assert place.node is not None
    say = sql.persist_number if place.node.persists else sql.set_global_number
    return say(INCREMENT, place.step.increment), say(OFFSET, place.step.offset)


def _set_back(node: Node) -> tuple[str, ...]:
    return tuple(
        statement
        for name, setting in ((INCREMENT, node.increment), (OFFSET, node.offset))
        for statement in (
            (sql.persist_number(name, setting.persisted),)
            if setting.persisted is not None
            else (
                *((sql.forget_persisted(name),) if node.persists else ()),
                sql.set_global_number(name, setting.now),
            )
        )
    )


def _option_lines(step: IncrementSetting) -> tuple[str, ...]:
    return "[mysqld]", f"{INCREMENT} = {step.increment}", f"{OFFSET} = {step.offset}"


def _to_set(places: Sequence[WriterSlot]) -> list[tuple[Node, WriterSlot]]:
    """Return those with something to set in SQL: without SET PERSIST, the value after a restart is the option file's."""
    return [(p.node, p) for p in places if p.node is not None and (p.changes or (p.is_lost and p.node.persists))]


def _at_once(places: Places) -> Iterator[Action]:
    """Server by server, in any order."""
    for node, place in _to_set(places.each):
        yield _setting(node, place)
    for node, place in _to_set(places.each):
        if place.changes:
            yield _recycling(node, place)
            yield from _giving_again(node, place)
    yield _looking(places.each)


def _held(survey: Survey, sight: CounterView, places: Sequence[WriterSlot]) -> Iterator[Action]:
    nodes = sight.nodes
    open_now = [node for node in nodes if not node.read_only]
    first = max(open_now or nodes, key=lambda n: (n.log.transactions if n.log is not None else 0, -nodes.index(n)))
    others = [node for node in open_now if node is not first]
    writing = {node.uuid for node in nodes}
    below = [node for node in survey.nodes if writing & upstream(survey, node.uuid)]

    for kind in _by_kind(below):
        yield Action(
            "Check that every channel runs without an error.",
            _names(kind),
            ("SHOW REPLICA STATUS",),
            until="receiver and applier run, no error: 'replfix status' shows it for all of them",
        )
    for kind in _by_kind(open_now):
        yield Action(
            "Stop the writes of the applications. Replication goes on.",
            _names(kind),
            (sql.hold_writes(mariadb=kind[0].mariadb),),
            undo=sql.open_writes(mariadb=kind[0].mariadb),
        )
    if sight.mutual:
        title = "Wait until each server has the rows of all others."
        yield from _arriving(nodes, title, "all of them answer the same")
    else:
        for node in nodes:
            title = f"Wait until {node.name} has all that its sources have written."
            yield from _arriving((*sight.sources(node), node), title, f"the answer of {node.name} contains the others")
    for node, place in _to_set(places):
        yield _setting(node, place)
    if open_now:
        yield _opening(sight, first, f"Let only {first.name} accept writes again, whatever values its sessions have.")
    for node, place in _to_set(places):
        if place.changes:
            yield _recycling(node, place)
            if node is first:
                yield from _giving_again(node, place)
    behind = [node for node in nodes if first in sight.sources(node)]
    yield from _arriving(
        (first, *behind),
        f"Wait until all that {first.name} has written until now is on {'the others' if sight.mutual else 'those that it reaches'}.",
        f"the answers of the others contain what {first.name} has answered first",
    )
    for node in others:
        yield _opening(sight, node, f"Let {node.name} accept writes again.")
    yield _looking(places)


def _arriving(nodes: Sequence[Node], title: str, until: str) -> Iterator[Action]:
    if len(nodes) < 2:
        return
    for kind in _by_kind(nodes):
        with_gtids = kind[0].mariadb or any(node.executed for node in kind)
        if with_gtids:
            yield Action(title, _names(kind), (sql.executed_everywhere(mariadb=kind[0].mariadb),), until)
        else:
            yield Action(
                title,
                _names(kind),
                ("SHOW REPLICA STATUS",),
                "the position that was applied is the end of its source's binlog",
            )


def _setting(node: Node, place: WriterSlot) -> Action:
    return Action(
        f"Give {node.name} {INCREMENT} = {place.step.increment} and {OFFSET} = {place.step.offset}"
        f"{'' if place.changes else ', which it has until it is restarted'}.",
        (node.name,),
        _set(place),
        undo=_set_back(node),
    )


def _recycling(node: Node, place: WriterSlot) -> Action:
    """MariaDB does not show the values of other sessions: all that are older count."""
    title = f"Reconnect every session on {node.name}: recycle the connection pools, or KILL what is listed."
    if node.mariadb:
        until = "no row, asked in the first session that was opened after the values were set"
        return Action(title, (node.name,), (sql.sessions_before_this_one(),), until)
    step = place.step
    return Action(title, (node.name,), (sql.sessions_with_other_values(step.increment, step.offset),),
                  "no row (with performance_schema = OFF there is never one)")  # fmt: skip


def _giving_again(node: Node, place: WriterSlot) -> Iterator[Action]:
    """Set the values once more on a server that shows since when it has them."""
    if node.persists:
        yield Action(
            f"Give them to {node.name} once more, so that what its sessions wrote until now counts as before the change.",
            (node.name,),
            _set(place),
        )


def _opening(sight: CounterView, node: Node, title: str) -> Action:
    counters = tuple(sight.raised[node.uuid].items())
    if counters:
        title += " First its counters are set above the numbers that it does not see."
    return Action(
        title,
        (node.name,),
        sql.open_writes(counters, mariadb=node.mariadb),
        undo=(sql.hold_writes(mariadb=node.mariadb),),
    )


def _looking(places: Sequence[WriterSlot]) -> Action:
    return Action(
        "Check again: 'replfix advise' finds nothing to do.",
        tuple(p.node.name for p in places if p.node is not None),
        (f"SHOW GLOBAL VARIABLES LIKE '{INCREMENT.rpartition('_')[0]}%'",),
        until="the values of this plan",
    )


def _back(sight: CounterView, places: Sequence[WriterSlot], *, holds: bool) -> Iterator[Action]:
    changed = [(node, place) for node, place in _to_set(places) if place.changes]
    open_now = [node for node in sight.nodes if not node.read_only]
    others = open_now[1:] if changed and holds else []
    for kind in _by_kind(others):
        yield Action(
            f"Stop the writes on all servers but {open_now[0].name}.",
            _names(kind),
            (sql.hold_writes(mariadb=kind[0].mariadb),),
        )
    for node in others:
        if node in sight.sources(open_now[0]):
            yield from _arriving(
                [node, open_now[0]],
                f"Wait until all that {node.name} has written is on {open_now[0].name}.",
                f"the answer of {open_now[0].name} contains that of {node.name}",
            )
    for node, _ in changed:
        yield Action(f"Give {node.name} its old values, and reconnect its sessions.", (node.name,), _set_back(node))
    if others and apart([node.step for node in sight.nodes]):
        for node in others:
            yield _opening(sight, node, f"Let {node.name} accept writes again, when no session has other values.")


def _by_kind(nodes: Sequence[Node]) -> list[list[Node]]:
    """Return MySQL and MariaDB apart, for their statements differ."""
    kinds = [[node for node in nodes if node.mariadb is mariadb] for mariadb in (False, True)]
    return [kind for kind in kinds if kind]


def _names(nodes: Sequence[Node]) -> tuple[str, ...]:
    return tuple(node.name for node in nodes)


def _next_ids(sight: CounterView, places: Sequence[WriterSlot]) -> Iterator[NextIds]:
    for table in sight.tables[:SHOWN_TABLES]:
        for place in places:
            if place.node is not None:
                stands = sight.stands(place.node, table)
                ids = next_ids(stands, place.step, SHOWN_IDS, _limit(place.node, table))
                yield NextIds(table, place.node.name, tuple(ids))


def _limit(node: Node, table: TableName) -> int | None:
    found = counter(node, table)
    return None if found is None else found.limit


def _simulated(sight: CounterView, places: Sequence[WriterSlot]) -> Iterator[Simulated]:
    nodes = sight.nodes
    if len(nodes) < 2:
        return
    sees = [frozenset(at for at, other in enumerate(nodes) if other.uuid in sight.seen[node.uuid]) for node in nodes]
    for table in sight.tables[: max(1, MOST_SIMULATED // len(nodes))][:SHOWN_TABLES]:
        now = [IdAllocator(at_least(node, table), node.step, seen) for node, seen in zip(nodes, sees, strict=True)]
        after = [
            IdAllocator(sight.stands(place.node, table), place.step, seen)
            for place, seen in zip(places, sees, strict=False)  # those to come follow them
            if place.node is not None
        ]
        limit = _limit(nodes[0], table)
        yield Simulated(
            table,
            SIMULATED_ROWS,
            IN_FLIGHT,
            simulate(now, SIMULATED_ROWS, IN_FLIGHT, limit).collisions,
            simulate(after, SIMULATED_ROWS, IN_FLIGHT, limit).collisions,
        )


def _notes(survey: Survey, sight: CounterView, places: Places) -> Iterator[str]:
    nodes = sight.nodes
    coming = [place.step.offset for place in places.each if place.node is None]
    if coming:
        yield (
            f"{counted(len(coming), 'writer')} to come: {INCREMENT} = {places.increment}, {OFFSET} = "
            f"{', '.join(map(str, coming))}. Set them in the option file before the server's first start, and let it catch up before it accepts writes."
        )
    idle = [node.name for node in survey.nodes if node not in nodes]
    if idle and places.free:
        yield (
            f"{', '.join(idle)} {'does' if len(idle) == 1 else 'do'} not write now. A server that may take over as a writer "
            f"needs an offset of its own by then; free: {', '.join(map(str, places.free[:5]))}"
            f"{' …' if len(places.free) > 5 else ''}."
        )
    if any(node.group_increment is not None and node.channels for node in nodes):
        yield (
            "A server in Group Replication sets both values itself when it joins, to group_replication_auto_increment_increment "
            "and its server_id, unless they are no longer the default: give all members the same increment."
        )
    yield from _room_notes(sight, places)
    yield from _key_notes(sight)
    lost = [p.node.name for p in places.each if p.node is not None and p.is_lost and not p.node.persists]
    if lost:
        yield f"{', '.join(lost)}: SET GLOBAL lasts until the next restart. After that the option file counts."


def _room_notes(sight: CounterView, places: Places) -> Iterator[str]:
    """Yield the tables whose numbers the increment uses up: of a small type, or with less left than was used until now."""
    least = len(places.each)
    for table in sight.tables:
        rooms: list[tuple[str, int, int]] = []
        column, is_short = None, False
        for place in places.each:
            found = None if place.node is None else counter(place.node, table)
            if place.node is None or found is None or found.limit is None:
                continue
            at = sight.stands(place.node, table)
            room = left(at, place.step, found.limit)
            closer = IncrementSetting(least, min(place.step.offset, least))
            rooms.append((place.node.name, room, left(at, closer, found.limit)))
            column = found.column
            is_short = is_short or found.column.data_type in SMALL or room < at // places.increment
        if column is None or not is_short:
            continue
        said = ", ".join(f"{counted(room, 'number')} for {node}" for node, room, _ in rooms)
        note = f"{table}.{column.name} ({column.column_type}): {said} left with an increment of {places.increment}."
        if least < places.increment:
            note += f" With an increment of {least}, the least for {least} writers, it is {', '.join(f'{n:,}' for *_, n in rooms)}."
        yield f"{note} Widen the column first ({sql.widen_counter(table, column)}), or let one server write this table."


def _key_notes(sight: CounterView) -> Iterator[str]:
    """Yield the keys that increment and offset do not keep apart, and those that need neither."""
    found: dict[KeyKind, list[str]] = {KeyKind.NATURAL: [], KeyKind.RANDOM: []}
    for name in sorted(sight.nodes[0].tables if len(sight.nodes) > 1 else ()):
        if not all(name in node.tables for node in sight.nodes):
            continue
        table = sight.nodes[0].tables[name]
        for key in table.unique_keys:
            if (kind := kind_of(table, key)) in found:
                found[kind].append(f"{name} ({', '.join(key.columns)})")
    if natural := found[KeyKind.NATURAL]:
        yield (
            f"Increment and offset do not keep {counted(len(natural), 'key')} apart, whose values the application chooses: "
            f"{_some(natural)}. Let one server write these tables, make the value a UUID, or begin it with a prefix for each site."
        )
    if random := found[KeyKind.RANDOM]:
        yield f"{counted(len(random), 'key')} of a type for UUIDs need nothing, as long as their values are UUIDs: {_some(random)}."


def _some(named: Sequence[str]) -> str:
    return f"{', '.join(named[:SHOWN_TABLES])}{' …' if len(named) > SHOWN_TABLES else ''}"
