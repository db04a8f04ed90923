"""A report of the advisor as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.advisor.finding import Finding
from replfix.core.advisor.findings.head_room import in_words
from replfix.core.advisor.number_map import NumberMap
from replfix.core.advisor.rollout import Action, Rollout
from replfix.present.advice.advice_page import MARKS, NUMBER_MAP, SERVER_COLUMNS, Page, bar, room_words, statement
from replfix.present.markdown import code, fenced, points, sentence, table
from replfix.present.page.page_model import OPEN_QUESTIONS, WARNINGS

BAR = 20


def markdown_of(page: Page) -> str:
    """Return the page as Markdown, ended with one line feed."""
    lines = [line for part in _parts(page) for line in part]
    return "\n".join(lines).rstrip() + "\n"


def _parts(page: Page) -> Iterator[Iterator[str]]:
    yield _head(page)
    yield _findings(page)
    yield _maps(page)
    yield _rooms(page)
    if page.rollout is not None:
        yield _rollout(page.rollout)
    yield points(f"## {OPEN_QUESTIONS}", page.report.survey.unknowns)


def _head(page: Page) -> Iterator[str]:
    yield from (f"# {sentence(page.title)}", "", f"Read {page.report.survey.read_at:%Y-%m-%d %H:%M:%S} UTC.", "")
    yield from (f"**{sentence(page.verdict)}**", "")
    if page.since:
        yield from (sentence(page.since), "", *(f"- **{word}**: {sentence(what)}" for word, what in page.changed()), "")
    yield from (*table(SERVER_COLUMNS, ([code(cell) for cell in row] for row in page.servers())), "")


def _findings(page: Page) -> Iterator[str]:
    if not page.report.findings:
        return
    yield from ("## Findings", "")
    for finding, remedy in page.remedies():
        yield from _finding(finding, remedy)


def _finding(finding: Finding, remedy: tuple[str, ...]) -> Iterator[str]:
    yield f"### {MARKS[finding.severity]} {finding.severity.value}: {sentence(finding.message)}"
    yield from ("", f"{code(finding.code)}", "")
    if finding.evidence:
        yield from (*(f"- {sentence(fact)}" for fact in finding.evidence), "")
    if remedy:
        yield from (*fenced(remedy, "sql"), "")


def _maps(page: Page) -> Iterator[str]:
    maps = page.maps()
    if maps:
        yield from (f"## {NUMBER_MAP}", "")
    for title, numbers in maps:
        yield from (f"{title.capitalize()}:", "", *_map(numbers), "")


def _map(numbers: NumberMap) -> list[str]:
    rows = [
        [code(writer.name), *("●" if writer in numbers.given(n) else "" for n in numbers.numbers)]
        for writer in numbers.writers
    ]
    if numbers.clashes:
        rows.append(["both", *("✘" if len(numbers.given(n)) > 1 else "" for n in numbers.numbers)])
    return table(["", *map(str, numbers.numbers)], rows)


def _rooms(page: Page) -> Iterator[str]:
    rooms = page.rooms()
    if not rooms:
        return
    yield from ("## Head room", "")
    yield from table(
        ["column", "used", "", "left", "growth"],
        (
            [
                code(f"{room.table}.{room.counter.column.name}"),
                f"{room.used:.1%}",
                bar(room.used, BAR),
                sentence(room_words(room)),
                sentence(in_words(room)),
            ]
            for room in rooms
        ),
    )
    yield ""


def _rollout(plan: Rollout) -> Iterator[str]:
    yield from ("## Plan", "", sentence(plan.places.why), "")
    yield from table(
        ["server", "increment", "offset"],
        (
            [code(place.node.name) if place.node else "(to come)", str(place.step.increment), str(place.step.offset)]
            for place in plan.places.each
        ),
    )
    yield ""
    if not plan.actions:
        yield from ("Nothing has to be changed for it.", "")
    for number, action in enumerate(plan.actions, 1):
        yield from _action(number, action)
    if plan.next_ids:
        yield from ("### What new ids look like", "")
        yield from table(
            ["table", "server", "next ids"],
            (
                [code(str(n.table)), code(n.node), ", ".join(f"{i:,}" for i in n.ids) or "none left"]
                for n in plan.next_ids
            ),
        )
        yield ""
    for simulated in plan.simulated:
        yield (
            f"- {code(str(simulated.table))}: of {simulated.rows:,} rows on each server, {simulated.collisions_now:,} collide "
            f"now, {simulated.collisions_after:,} after it (simulated, {simulated.in_flight} rows on their way at any time)."
        )
    yield from ("", *points(f"### {WARNINGS}", plan.notes)) if plan.notes else ("",)
    if plan.option_lines:
        yield from ("### Option files", "")
        for name, lines in plan.option_lines:
            yield from (f"On {code(name)}:", "", *fenced(list(lines), "ini"), "")
    if plan.back:
        yield from ("### How to go back", "")
        for number, action in enumerate(plan.back, 1):
            yield from _action(number, action)


def _action(number: int, action: Action) -> Iterator[str]:
    yield f"{number}. {sentence(action.title)} On {', '.join(code(name) for name in action.nodes)}:"
    yield from ("", *(f"   {line}" for line in fenced([statement(s) for s in action.sql], "sql")), "")
    if action.until:
        yield from (f"   Go on when: {sentence(action.until)}.", "")
