"""The page of ``replfix advise``: servers, findings with their statements, numbers, head room, the plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from replfix.core.advisor.changes import Changes, Mark
from replfix.core.advisor.findings.head_room import in_words
from replfix.core.advisor.head_room import HeadRoom, head_rooms
from replfix.core.advisor.node import Node
from replfix.core.advisor.number_map import NumberMap, Writer, number_map
from replfix.core.advisor.offsets import WriterSlot
from replfix.core.advisor.rollout import Action, Rollout
from replfix.core.advisor.survey import Report
from replfix.core.advisor.writers import circles, shared_tables, writers
from replfix.core.diagnosis.finding import Finding, Severity
from replfix.core.remedies.remedy import Fix
from replfix.core.words import counted
from replfix.present.page.judgement_blocks import SEVERITY, finding_blocks, fix_blocks
from replfix.present.page.page_model import (
    OPEN_QUESTIONS,
    WARNINGS,
    Block,
    Drawing,
    Link,
    Page,
    Place,
    Point,
    Role,
    Script,
    Section,
    Sentence,
    Span,
    Symbol,
    Table,
    TableRow,
    muted,
    name,
    points,
    section,
    words,
)

ROOMS = 20
BAR = 20


@dataclass(frozen=True, slots=True)
class Advice:
    """A report, with what has changed since an earlier one, and the plan."""

    report: Report
    changes: Changes | None = None
    rollout: Rollout | None = None


def advice_page(advice: Advice) -> Page:
    """Return the whole page. Its title has the one verdict."""
    survey = advice.report.survey
    symbol, verdict = _verdict(advice)
    plan = advice.rollout
    return Page(
        (
            Section((), (Sentence(words(muted(f"Read {survey.read_at:%Y-%m-%d %H:%M:%S} UTC."))),)),
            *section("What changed", _changed(advice.changes)),
            *section("Servers", _servers(advice)),
            *section("Findings", _findings(advice.report.findings)),
            *section("Which server gives which number", _maps(advice)),
            *section("Head room", _rooms(advice)),
            *(_plan_sections(plan) if plan is not None else ()),
            *section(OPEN_QUESTIONS, points(Symbol.QUESTION, survey.unknowns)),
        ),
        symbol,
        words(f"How {_listed([node.name for node in survey.nodes])} keep their keys apart: {verdict}"),
    )


def _verdict(advice: Advice) -> tuple[Symbol, str]:
    report = advice.report
    number = {severity: sum(f.severity is severity for f in report.findings) for severity in Severity}
    found = ", ".join(f"{count} {severity.value}" for severity, count in number.items() if count)
    unread = len(report.survey.unknowns)
    left = f" Not everything could be read: {counted(unread, 'open question')}." if unread else ""
    if report.needs_doing:
        worst = min((f.severity for f in report.findings), key=lambda severity: severity.order)
        return SEVERITY[worst], f"found {found}.{left}"
    said = f"nothing needs doing. Found {found}." if found else "nothing was found."
    return Symbol.QUESTION if unread else Symbol.OK, f"{said}{left}"


def _changed(changes: Changes | None) -> Iterator[Block]:
    if changes is None:
        return
    when = f"{changes.since:%Y-%m-%d %H:%M} UTC"
    if changes.nothing:
        yield Sentence(words(f"As in the report of {when}: the same {counted(changes.remaining, 'finding')}."))
        return
    yield Sentence(words(f"Since the report of {when}; {counted(changes.remaining, 'finding')} of it remain."))
    marked: Sequence[tuple[str, Iterable[Mark]]] = (
        ("new", changes.new),
        ("graver", changes.graver),
        ("gone", changes.gone),
    )
    for word, marks in marked:
        yield from points(Symbol.ITEM, (f"{word}: {mark.message} [{mark.code}]" for mark in marks))
    yield from points(Symbol.ITEM, (f"new: server {server}" for server in changes.servers_new))
    yield from points(
        Symbol.ITEM, (f"gone: server {server}: it was not read this time" for server in changes.servers_gone)
    )


def _servers(advice: Advice) -> Iterator[Block]:
    survey = advice.report.survey
    writing = {node.uuid for node in writers(survey)}
    names = {node.uuid: node.name for node in survey.nodes}
    yield _drawing(advice, writing)
    head = (
        "server",
        "version",
        "writes",
        "increment/offset",
        "after restart",
        "reads from",
        "own inserts, of the log that was read",
    )
    rows = (
        (
            name(node.name),
            node.version,
            _writes(node, writing),
            str(node.step),
            f"{_or_unknown(node.increment.after_restart)}/{_or_unknown(node.offset.after_restart)}",
            ", ".join(names.get(c.source_uuid, f"{c.source_host}:{c.source_port}") for c in node.channels) or "-",
            _wrote(node),
        )
        for node in survey.nodes
    )
    yield _grid(head, rows)


def _drawing(advice: Advice, writing: set[str]) -> Drawing:
    """Servers that were not read are in it too, by the address that their replicas name."""
    survey = advice.report.survey
    found = {node.uuid: number for number, node in enumerate(survey.nodes)}
    places = [
        Place(
            node.name,
            (node.address, _says(node, writing), f"{node.step}, {_short(node.version)}"),
            Role.OK if node.uuid in writing else Role.PLAIN,
        )
        for node in survey.nodes
    ]
    addresses = {c.source_uuid: f"{c.source_host}:{c.source_port}" for node in survey.nodes for c in node.channels}
    links = []
    for edge in survey.edges:
        if edge.source not in found:
            found[edge.source] = len(places)
            places.append(Place(addresses.get(edge.source, edge.source), ("not read",), Role.MUTED))
        note = [edge.channel, "filters" if edge.filtered else "", "" if edge.running else "stopped"]
        role = Role.PLAIN if edge.running else Role.WARNING
        links.append(Link(found[edge.source], found[edge.replica], ", ".join(filter(None, note)), role))
    return Drawing(tuple(places), tuple(links))


def _short(version: str) -> str:
    return version.split("-")[0] + (" MariaDB" if "mariadb" in version.lower() else "")


def _writes(node: Node, writing: set[str]) -> str:
    return "✔ yes" if node.uuid in writing else "read-only" if node.read_only else "no"


def _says(node: Node, writing: set[str]) -> str:
    return "writes" if node.uuid in writing else "read-only" if node.read_only else "does not write"


def _findings(findings: Iterable[Finding]) -> Iterator[Block]:
    """Yield each finding with what helps; a repeated fix refers to the finding that has it already."""
    said: dict[tuple[Fix, ...], str] = {}
    for finding in findings:
        yield from finding_blocks(finding, coded=True)
        if finding.fixes in said:
            yield Sentence(words(f"What helps: as above, for {said[finding.fixes]}."), level=1)
            continue
        if finding.fixes:
            said[finding.fixes] = finding.code
        yield from fix_blocks((replace(fix, text=_sentence(fix.text)) for fix in finding.fixes), level=1)


def _sentence(remark: str) -> str:
    return f"{remark[:1].upper()}{remark[1:]}." if remark else ""


def _script(statements: Iterable[str]) -> Script:
    return Script(tuple(f"{statement};" for statement in statements), level=2)


def _maps(advice: Advice) -> Iterator[Block]:
    """Yield the map of each group of writers that share a table; then with the plan's values, where these are others."""
    for group in circles(advice.report.survey):
        if any(shared_tables(one, other) for one in group for other in group if one is not other):
            yield from _map("now", [Writer(node.name, node.step) for node in group])
    plan = advice.rollout
    if plan is not None and (plan.actions or any(place.node is None for place in plan.places.each)):
        then = [_writer(number, place) for number, place in enumerate(plan.places.each, 1)]
        yield from _map("with the plan", then)


def _writer(number: int, place: WriterSlot) -> Writer:
    return Writer(place.node.name if place.node is not None else f"(writer {number})", place.step)


def _map(title: str, group: list[Writer]) -> Iterator[Block]:
    numbers = number_map(group)
    if numbers is None or len(group) < 2:
        return
    clashes = f": {numbers.clashes} of {numbers.last} numbers from more than one server" if numbers.clashes else ""
    yield Sentence(words(f"{title.capitalize()}{clashes}."))
    rows = ((name(writer.name), *(_mark(numbers, writer, n) for n in numbers.numbers)) for writer in numbers.writers)
    yield _grid(("", *map(str, numbers.numbers)), rows)


def _mark(numbers: NumberMap, writer: Writer, number: int) -> Span:
    given = numbers.given(number)
    if writer not in given:
        return Span("")
    return Span("✘", Role.ERROR) if len(given) > 1 else Span("●", Role.INFO)


def _rooms(advice: Advice) -> Iterator[Block]:
    """Yield the head room of at most ``ROOMS`` columns, the fullest first."""
    rooms = sorted(head_rooms(advice.report.survey), key=lambda room: (-room.used, str(room.table)))[:ROOMS]
    if not rooms:
        return
    rows = (
        (
            name(f"{room.table}.{room.counter.column.name}"),
            bar(room.used, BAR),
            f"{room.used:.1%}",
            room_words(room),
            in_words(room),
        )
        for room in rooms
    )
    yield _grid(("column", "", "used", "left", "growth"), rows)


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


def _plan_sections(plan: Rollout) -> Iterator[Section]:
    head = f"Plan for {counted(len(plan.places.each), 'writer')}: auto_increment_increment = {plan.places.increment}"
    yield from section(head, _plan(plan))
    yield from section(WARNINGS, points(Symbol.WARNING, plan.notes), level=2)
    if plan.actions:
        how = "some of them stop writes for a while" if plan.holds else "no server has to stop taking writes"
        yield from section(f"Steps, each when the one before it is done: {how}", _actions(plan.actions), level=2)
    yield from section(
        "Option files (my.cnf), for the next restart and for servers that are built anew", _files(plan), level=2
    )
    yield from section("Back, should it have to be", _actions(plan.back), level=2)


def _plan(plan: Rollout) -> Iterator[Block]:
    yield Sentence(words(plan.places.why))
    rows = (
        (
            name(place.node.name) if place.node is not None else "(to come)",
            str(place.node.step) if place.node is not None else "-",
            f"{place.step}{' as now' if place.node is not None and not place.changes else ''}",
            f"{', '.join(str(place.step.offset + n * place.step.increment) for n in range(3))}, …",
        )
        for place in plan.places.each
    )
    yield _grid(("server", "now", "plan", "numbers that it gives"), rows)
    if not plan.actions:
        yield Sentence(words("The servers have these values already: nothing to do."))
    if plan.next_ids:
        yield Sentence(words("Next numbers, from the counters of now:"))
        ids = ((name(n.table), name(n.node), ", ".join(f"{i}" for i in n.ids) or "none left") for n in plan.next_ids)
        yield _grid(("table", "server", "next ids"), ids)
    if plan.simulated:
        yield Sentence(words(simulation_sentence(plan)))
        each = ((name(s.table), f"{s.collisions_now:,}", f"{s.collisions_after:,}") for s in plan.simulated)
        yield _grid(("table", "collisions now", "with the plan"), each)


def simulation_sentence(plan: Rollout) -> str:
    """Return the result of the simulation in one sentence."""
    first = plan.simulated[0]
    servers = sum(place.node is not None for place in plan.places.each)
    inserted = first.rows * servers * len(plan.simulated)
    return (
        f"Simulated: each of the {servers} servers inserts {first.rows:,} rows into {counted(len(plan.simulated), 'table')}, "
        f"while {first.in_flight} of them are on their way to the others. Of these {inserted:,} rows "
        f"{_collide(plan.collisions_now)} as the servers are now, and {_collide(plan.collisions_after)} with the plan."
    )


def _collide(rows: int) -> str:
    if rows == 0:
        return "none gets a number that is taken"
    return f"{rows:,} {'gets' if rows == 1 else 'get'} a number that is taken (error 1062)"


def _actions(actions: Sequence[Action]) -> Iterator[Block]:
    for number, action in enumerate(actions, 1):
        yield Point(Symbol.NEXT, words(f"{number}. {action.title}"))
        yield Sentence(words("On ", name(", ".join(action.nodes)), " each:" if len(action.nodes) > 1 else ":"), level=1)
        yield _script(action.sql)
        if action.until:
            yield Sentence(words(f"Go on when: {action.until}."), level=1)
        if action.undo:
            yield Sentence(words(muted("Undo:")), level=1)
            yield _script(action.undo)


def _files(plan: Rollout) -> Iterator[Block]:
    for node, lines in plan.option_lines:
        yield Sentence(words("On ", name(node), ":"))
        yield Script(lines, level=1)


def _grid(head: tuple[str, ...], rows: Iterable[tuple[str | Span, ...]]) -> Table:
    return Table(head, tuple(TableRow(tuple(words(each) for each in row)) for row in rows))


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
