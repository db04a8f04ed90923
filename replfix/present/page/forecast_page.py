"""A forecast: what will stop the replica, who wrote the rows, what was not looked at, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from replfix.core.conflicts.ahead.forecast import Ahead, Author, Effect, Forecast, Group, Unscanned
from replfix.core.conflicts.reconcile import ConflictKind
from replfix.core.words import counted
from replfix.present.channel_state import called
from replfix.present.page.detail import AHEAD, IN_A_RUN, Detail, fits
from replfix.present.page.incident_page import by_table, conflict_meaning, conflict_words, examples
from replfix.present.page.outcome_page import hint_points
from replfix.present.page.page_model import (
    Block,
    Facts,
    Page,
    Point,
    Section,
    Sentence,
    Span,
    Symbol,
    Words,
    name,
    points,
    section,
    strong,
    words,
)
from replfix.present.page.row_images import narrowed, of_conflict_ahead

GROUPS_SHOWN = 10
STATEMENT_WIDTH = 300

_KINDS = {
    ConflictKind.DUPLICATE: "a duplicate row",
    ConflictKind.MISSING: "a missing row",
    ConflictKind.DIFFERENT: "a row with other values",
    ConflictKind.EXTRA: "a row that still references another one",
}
_HEADINGS = {
    Effect.STOPS: "Conflicts that stop the replica",
    Effect.OVERWRITES: "Rows that are overwritten without an error",
    Effect.DELETES_SILENTLY: "Rows that are deleted without an error",
}
SIGNS = {Effect.STOPS: "✗", Effect.OVERWRITES: "≠", Effect.DELETES_SILENTLY: "-"}


def forecast_page(replica: str, found: Forecast, named: str = "", *, detail: Detail = AHEAD) -> Page:
    """Return the whole page. ``named``: the replica's name in printed commands; empty where the command line adds it."""
    symbol, title = headline(replica, found)
    return Page(
        (
            Section((), (facts(found), *next_steps(found, named))),
            *not_looked_at(found),
            *authors(found),
            *(part for effect in Effect for part in _conflicts(found, effect, detail)),
        ),
        symbol,
        title,
    )


def unknown_page(replica: str, message: str, hint: str) -> Page:
    """Return the page of a replica of several that could not be looked at."""
    return Page((Section((), tuple(hint_points(hint))),), Symbol.ERROR, words(strong(replica), f": {message}"))


def headline(replica: str, found: Forecast) -> tuple[Symbol, Words]:
    """Return how many conflicts wait and which one is the next, or that there are none."""
    symbol, said = _headline(found)
    return symbol, words(strong(replica), f": {called(found.channel)}: ", *said)


def _headline(found: Forecast) -> tuple[Symbol, Iterable[str | Span]]:
    stops, scanned = found.stops, found.scanned
    rest = "" if scanned.complete else " Not everything was looked at."
    if stops:
        number = len(stops)
        what = f"{counted(number, 'conflict')} ahead {'stops' if number == 1 else 'stop'} the replica"
        return Symbol.ERROR, (f"{what}: the next is ", *next_conflict(stops[0]), f".{rest}")
    if found.conflicts:
        silent = counted(len(found.conflicts), "row")
        verb = "is" if len(found.conflicts) == 1 else "are"
        return Symbol.WARNING, (
            f"no conflict ahead stops the replica; {silent} {verb} overwritten or deleted without an error.{rest}",
        )
    if not scanned.complete:
        return Symbol.QUESTION, ("no conflict was found, and not everything was looked at.",)
    if not scanned.transactions:
        return Symbol.OK, ("no transaction is waiting to be applied.",)
    return Symbol.OK, ("nothing ahead: no transaction of the backlog conflicts with a row.",)


def next_conflict(ahead: Ahead) -> tuple[str | Span, ...]:
    """Return what the applier meets, where: kind, table, error and transaction."""
    error = f" (error {ahead.errno})" if ahead.errno is not None else ""
    return (
        f"{_KINDS[ahead.conflict.kind]} in ",
        name(ahead.conflict.table),
        f"{error}, in transaction ",
        name(ahead.transaction),
    )


def more_ahead(found: Forecast, stopped_on: str | None) -> str:
    """Return in a few words how many conflicts follow the one that the channel is stopped on; empty for none.

    ``stopped_on``: the GTID or place of the failing transaction; its own conflicts are not among those ahead of it.
    """
    more = sum(str(ahead.transaction) != stopped_on for ahead in found.stops)
    if more:
        least = "" if found.scanned.complete else " at least"
        return f"and{least} {counted(more, 'more conflict')} ahead"
    if found.scanned.complete:
        return "and nothing more ahead"
    return (
        f"no further conflict in the next {counted(found.scanned.transactions, 'transaction')}; not all were looked at"
    )


def facts(found: Forecast) -> Facts:
    """Return how much was looked at."""
    scanned = found.scanned
    looked = [
        counted(number, noun)
        for number, noun in ((scanned.transactions, "transaction"), (scanned.rows, "row"), (scanned.events, "event"))
    ]
    hit = len({ahead.transaction for ahead in found.conflicts})
    pairs = [("Looked at", words(f"{', '.join(looked)}, in {scanned.seconds:,.1f} s"))]
    if found.conflicts:
        pairs.append(("With conflicts", words(counted(hit, "transaction"))))
    met, passed = (sum(ahead.proven is proven for ahead in found.conflicts) for proven in (True, False))
    if met or passed:
        said = f"the replica's applier met {counted(met, 'conflict')} in a rehearsal that was rolled back"
        pairs.append(("Proven", words(f"{said}, and went past {passed:,}" if passed else said)))
    return Facts(tuple(pairs))


def next_steps(found: Forecast, named: str) -> Iterator[Block]:
    """Yield what to do about it, with commands to run."""
    command = f"replfix resolve {named}".strip()
    if found.stops:
        said = (
            f"When the channel is stopped on the first of them, '{command} --dry-run' plans the repair and has the replica rehearse "
            f"it: nothing stays changed. '{command}' repairs the rows."
        )
        yield Point(Symbol.NEXT, words(said))
    if len(found.stops) < len(found.conflicts):
        yield Point(
            Symbol.WARNING,
            words(
                "What is overwritten or deleted without an error is lost on the replica, and nothing saves it: copy those rows first if "
                "anybody needs them (--json has all of their values)."
            ),
        )


def not_looked_at(found: Forecast) -> tuple[Section, ...]:
    """Return the section of what was not looked at, why, and from where on; nothing where all was."""
    return section("Not looked at", (Point(Symbol.QUESTION, _unscanned(one)) for one in found.scanned.unscanned))


def _unscanned(one: Unscanned) -> Words:
    said = one.since is None or str(one.since) in one.what
    since = () if said else (" (from transaction ", name(one.since), " on)")
    why = one.why if one.why.endswith((".", "!", "?")) else f"{one.why}."
    return words(strong(one.what), *since, f": {why}")


# --- who wrote the rows ---


def authors(found: Forecast) -> tuple[Section, ...]:
    """Return the conflicts by the transaction that wrote or deleted the rows; nothing where none is known."""
    known = [group for group in found.groups if group.author is not None]
    if not known:
        return ()
    unknown = sum(len(group.conflicts) for group in found.groups if group.author is None)
    return section("Who wrote the rows", _authors(found, known, unknown))


def _authors(found: Forecast, known: list[Group], unknown: int) -> Iterator[Block]:
    of = f"{len(found.conflicts):,}"
    for group in known[:GROUPS_SHOWN]:
        author = group.author
        assert author is not None
        yield Point(Symbol.CERTAIN, words(f"{len(group.conflicts):,} of {of}: ", *author_words(found, group, author)))
        if author.statement is not None:
            more = "…" if len(author.statement) > STATEMENT_WIDTH else ""
            yield Sentence(words(name(f"{author.statement[:STATEMENT_WIDTH]}{more}")), level=1)
    if left := known[GROUPS_SHOWN:]:
        conflicts = sum(len(group.conflicts) for group in left)
        said = f"{conflicts:,} of {of}: {counted(len(left), 'more transaction')}; {IN_A_RUN.more}."
        yield Point(Symbol.MORE, words(said))
    if unknown:
        yield Point(Symbol.QUESTION, words(f"{unknown:,} of {of}: unknown who wrote or deleted the rows."))


def author_words(found: Forecast, group: Group, author: Author) -> Iterator[str | Span]:
    """Yield what the transaction did to the rows, where it was written, its GTID, time and connection."""
    gone = Counter(found.conflicts[place].conflict.replica_row is None for place in group.conflicts)
    yield "deleted by " if not gone[False] else "written by " if not gone[True] else "written or deleted by "
    yield "one transaction of the replica itself" if author.own else "one transaction of another server"
    if author.gtid is not None:
        yield ", "
        yield name(author.gtid)
    yield f", {author.committed_at:%Y-%m-%d %H:%M:%S} UTC"
    if author.thread_id is not None:
        yield f", connection {author.thread_id}"


# --- the conflicts ---


def _conflicts(found: Forecast, effect: Effect, detail: Detail) -> Iterator[Section]:
    places = [place for place, ahead in enumerate(found.conflicts) if ahead.effect is effect]
    if not places:
        return
    conflicts = [found.conflicts[place].conflict for place in places]
    every = fits(len(places), detail.conflicts)
    shown = range(len(places)) if every else examples(conflicts, detail.examples)
    yield Section(words(f"{_HEADINGS[effect]}: {len(places):,}"), () if every else (by_table(conflicts),))
    for number in shown:
        ahead = found.conflicts[places[number]]
        rows, left_out = narrowed(of_conflict_ahead(ahead.conflict, found.tables[ahead.conflict.table]), detail.columns)
        yield Section(
            line_of(found, places[number]),
            (
                Sentence(place_words(ahead)),
                Sentence(words(conflict_meaning(ahead.conflict))),
                rows,
                *points(Symbol.MORE, [f"{left_out}: {detail.more}."] if left_out else []),
            ),
            level=2,
        )
    if len(shown) < len(places):
        left = f"and {len(places) - len(shown):,} more: {detail.more}."
        yield Section((), (Point(Symbol.MORE, words(left)),), level=2)


def line_of(found: Forecast, place: int) -> Words:
    """Return which rows meet, on one line, with the number of the conflict in the forecast."""
    conflict = found.conflicts[place].conflict
    return conflict_words(place + 1, conflict, found.tables[conflict.table])


def place_words(ahead: Ahead) -> Words:
    """Return the transaction of a conflict, and what the applier does with it."""
    effect = {
        Effect.STOPS: "stops the applier" + (f" with error {ahead.errno}" if ahead.errno is not None else ""),
        Effect.OVERWRITES: "the applier overwrites the row",
        Effect.DELETES_SILENTLY: "the applier deletes the row",
    }[ahead.effect]
    proven = {True: ", proven", False: ", not met in the rehearsal", None: ""}[ahead.proven]
    return words(
        "In ", name(ahead.transaction), f", committed {ahead.committed_at:%Y-%m-%d %H:%M:%S} UTC: {effect}{proven}."
    )
