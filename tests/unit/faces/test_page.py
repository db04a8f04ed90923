"""One page, every writer: what a builder says is on the terminal and in the ticket, and nothing in it is obeyed by either."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from io import StringIO

import pytest
from rich.console import Console, RenderableType

from replfix.core.conclude import conclude
from replfix.core.diagnosis.diagnosis import Cause, Confidence, Diagnosis
from replfix.core.plan.outcome import Outcome, Result, Round
from replfix.present.page.confirmation_page import at_stake, confirmation_blocks
from replfix.present.page.incident_page import incident_page, running_page
from replfix.present.page.markdown_page import markdown
from replfix.present.page.outcome_page import resolution_page
from replfix.present.page.page_model import (
    Block,
    Facts,
    Message,
    Page,
    Point,
    Rows,
    Script,
    Section,
    Sentence,
    Side,
    Statement,
    Steps,
    Symbol,
    Table,
    TableRow,
    name,
    strong,
    words,
)
from replfix.present.page.rich_page import block_text, page_text
from tests.unit.fakes import Rows as HeldRows
from tests.unit.making import ORDERS, evidence, inserted

HIDDEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
HOSTILE = "a[bold]b[/bold]\x1b[31m\u202e|`x`\nnext"


def on_terminal(parts: Iterable[RenderableType], *, coloured: bool = False, width: int = 200) -> str:
    console = Console(file=StringIO(), width=width, markup=False, highlight=False, force_terminal=coloured,
                      color_system="truecolor" if coloured else None)  # fmt: skip
    with console.capture() as capture:
        for part in parts:
            console.print(part, crop=False)
    return capture.get()


def diagnosis() -> Diagnosis:
    found = conclude(
        evidence([inserted(ORDERS, 3, "A-3", Decimal("9.50"))], HeldRows.of(ORDERS).holding(ORDERS, (3, "R-1", None)))
    )
    return replace(
        found,
        causes=(
            Cause(
                "local-write",
                Confidence.MEDIUM,
                "Somebody wrote here.",
                ("Fact 1.", "Fact 2."),
            ),
        ),
    )


def every_block(text: str) -> tuple[Block, ...]:
    return (
        Sentence(words(text, strong(text), name(text))),
        Point(Symbol.WARNING, words(text, name(text)), 1),
        Message(text),
        Steps((Statement(text, "On the source"), Statement(text), Statement(text, is_sql=False))),
        Script((text,), 1),
        Facts(((text, words(text, name(text))),)),
        Rows(
            ORDERS.name,
            (text,),
            ("",),
            frozenset({text}),
            frozenset(),
            (Side("replica", (text,)), Side("source", None)),
        ),
        Table((text,), (TableRow((words(text, name(text)),), differs=True),), marked=True),
    )


def test_what_is_said_of_a_cause_is_in_every_writer() -> None:
    page = incident_page("db2", diagnosis())
    for text in (on_terminal(page_text(page)), markdown(page)):
        for said in ("local-write", "(medium confidence): Somebody wrote here.", "Fact 1.", "Fact 2."):
            assert said in text
        at = [
            text.index(heading) for heading in ("Why", "Conflicts: 1", "Options", "Preconditions", "Warnings", "Undo")
        ]
        assert at == sorted(at)


@pytest.mark.parametrize("width", [20, 80, 200])
def test_nothing_hostile_reaches_a_terminal(width: int) -> None:
    page = Page((Section(words(HOSTILE), every_block(HOSTILE)),), Symbol.ERROR, words(strong(HOSTILE)))
    text = on_terminal(page_text(page), width=width)
    assert {c for c in text if unicodedata.category(c) in HIDDEN} <= {"\n"}
    assert "[bold]" in "".join(text.split()), "markup is text"


def test_nothing_hostile_reaches_a_ticket() -> None:
    text = markdown(Page((Section(words(HOSTILE), every_block(HOSTILE)),), Symbol.ERROR, words(strong(HOSTILE))))
    assert {c for c in text if unicodedata.category(c) in HIDDEN} <= {"\n"}


def test_a_sign_says_what_a_colour_says() -> None:
    page = incident_page("db2", diagnosis())
    coloured, bare = (on_terminal(page_text(page), coloured=each) for each in (True, False))
    assert "\x1b[" in coloured
    assert "\x1b[" not in bare
    for sign in ("✗ db2", "◐ local-write", "≠", "✔ source-wins (recommended)", "! "):
        assert sign in bare


def test_statements_are_not_broken_on_a_terminal() -> None:
    sql = "SELECT " + ", ".join(f"`column_{n}`" for n in range(40))
    page = Page((Section(words("Plan"), (Steps((Statement(sql),)), Script((f"{sql};",)))),))
    assert on_terminal(page_text(page), width=40).splitlines() == ["Plan", f"  1. {sql}", f"  {sql};"]
    assert len(on_terminal([block_text(Script((sql,)))], width=40).splitlines()) > 1, "in a widget they are"


def test_a_running_channel() -> None:
    for channel, said in (
        (None, "replication is running"),
        ("", "the default channel is running"),
        ("x", "channel x is"),
    ):
        assert said in on_terminal(page_text(running_page("db2", channel)))


def test_the_rounds_of_a_resolution_and_how_it_ended() -> None:
    plan = diagnosis().proposals[0].plan
    assert plan is not None
    done = Round(plan, rehearsed=True, applied=True, verified=True, audit_id="abc", causes=("two-writers",))
    text = on_terminal(
        page_text(resolution_page("db2", Outcome(Result.RESOLVED, "All done.", "", (done,), ("abc", "def"))))
    )
    for said in ("Round 1: ", "✔ rehearsed, ✔ applied, ✔ verified", "1. DELETE FROM", "✔ db2: Resolved: All done.",
                 "On record: replfix audit show abc", "Settings and outcomes on record: def", "replfix advise"):  # fmt: skip
        assert said in text
    rehearsed = Outcome(
        Result.NEEDS_HUMAN, "Dry run: x.", "Apply it.", (replace(done, applied=False, verified=False),), dry_run=True
    )
    text = on_terminal(page_text(resolution_page("db2", rehearsed)))
    for said in ("- applied, - verified", "Preconditions, checked again before applying", "Next: Apply it."):
        assert said in text


def test_a_human_who_is_needed_reads_why_and_no_more() -> None:
    cancelled = Outcome(Result.NEEDS_HUMAN, "Cancelled. Nothing was changed.")
    assert on_terminal(page_text(resolution_page("db2", cancelled))).strip() == "! db2: Cancelled. Nothing was changed."


def test_the_question_says_what_is_at_stake() -> None:
    plan = diagnosis().proposals[0].plan
    assert plan is not None
    text = on_terminal(map(block_text, confirmation_blocks(plan)))
    assert "Deletes 1 row on the replica (shop.orders). A full copy is saved in the audit trail first." in text
    assert at_stake(plan) == "Rows of shop.orders are deleted or changed."
