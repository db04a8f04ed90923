"""The errors of a log: how many, over what time, on which keys, and what they look like."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.explain.surge import Group
from replfix.core.words import counted
from replfix.present.page.explain.explanation_page import explanation_sections
from replfix.present.page.page_model import (
    Block,
    Page,
    Point,
    Section,
    Sentence,
    Symbol,
    Table,
    TableRow,
    name,
    points,
    section,
    words,
)
from replfix.present.rate_text import rate_chart, rate_sentences
from replfix.present.row_values_text import shown
from replfix.workflow.explain.explanations import Counted

GROUPS_SHOWN = 20
NOT_THERE = "not in the log"


def surge_page(log: Counted, *, bars: bool = True) -> Page:
    """Return the page of a counted log, with the explanations that a server was asked for.

    ``bars``: the medium has block characters for the chart.
    """
    what = words(
        counted(log.errors, "duplicate-key error"),
        f" in {counted(log.lines, 'line')}, on {counted(len(log.groups), 'key')}",
    )
    explained = [e for e in log.explanations if e.case.was_asked]
    return Page(
        (
            Section(what, (*_over_time(log, bars=bars), *points(Symbol.WARNING, _notes(log)))),
            *section("Keys", _keys(log.groups)),
            *section("What it looks like", _shapes(log.groups)),
            *(
                part
                for number, explanation in enumerate(explained, 1)
                for part in (
                    Section(words(f"{number}. The latest one on ", name(explanation.case.duplicate.key)), ()),
                    *explanation_sections(explanation),
                )
            ),
        )
    )


def _over_time(log: Counted, *, bars: bool) -> Iterator[Block]:
    if log.rate is None:
        return
    yield from points(Symbol.CERTAIN, rate_sentences(log.rate, log.followed_quiet))
    chart = rate_chart(log.rate, blocks=bars)
    if chart is not None:
        yield Sentence(words(chart), level=1)


def _keys(groups: tuple[Group, ...]) -> Iterator[Block]:
    if not groups:
        return
    rows = (
        TableRow(
            (
                words(f"{group.count:,}"),
                words(name(group.key or NOT_THERE)),
                words(name(group.table or "")),
                words(group.first_seen or "-"),
                words(group.last_seen or "-"),
                words(_values(group)),
            )
        )
        for group in groups[:GROUPS_SHOWN]
    )
    yield Table(("count", "key", "table", "first seen", "last seen", "values"), tuple(rows), numbers=frozenset({0}))
    if len(groups) > GROUPS_SHOWN:
        left = counted(len(groups) - GROUPS_SHOWN, "more key")
        yield Point(Symbol.MORE, words(f"and {left}: --json lists all."))


def _shapes(groups: tuple[Group, ...]) -> Iterator[Block]:
    for group in groups[:GROUPS_SHOWN]:
        of = (" of ", name(group.table)) if group.table and "." not in group.key else ()
        yield Point(Symbol.CERTAIN, words(name(group.key or NOT_THERE), *of, f": {group.meaning}."))


def _notes(log: Counted) -> Iterator[str]:
    """Yield what the counts leave open."""
    if log.interrupted:
        yield "Interrupted: only the part that was read is counted."
    if log.damaged is not None:
        yield f"The file is damaged, and was read up to there: {log.damaged}"
    if log.not_grouped:
        yield f"{counted(log.not_grouped, 'error')} more, on further keys, were not grouped."
    if log.doubtful_errors:
        yield (
            f"{counted(log.doubtful_errors, 'error')} of them may be the same as another one: "
            "no time or process tells their lines apart."
        )
    if log.doubtful_repeats:
        yield (
            f"{counted(log.doubtful_repeats, 'line')} with the same key and value at the same time were taken for repetitions, "
            "and may be further errors."
        )
    if any(group.separated for group in log.groups):
        yield (
            "The log does not name the table of some keys. Their errors are listed by values that go together, "
            "each perhaps another table: that is a guess. --json marks them."
        )


def _values(group: Group) -> str:
    if not group.distinct:
        return NOT_THERE
    shown_values = ", ".join(shown(example, 30) for example in group.examples)
    more = "more than " if group.distinct_at_least else ""
    unknown = f"; {group.unknown:,} {NOT_THERE}" if group.unknown else ""
    return (
        f"{more}{group.distinct:,}: {shown_values}" + (", …" if group.distinct > len(group.examples) else "") + unknown
    )
