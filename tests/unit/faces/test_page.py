"""One page, every writer: what a builder says is on the terminal and in the ticket, and nothing in it is obeyed by either."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from io import StringIO
from types import SimpleNamespace

import click
import pytest
from pydantic import TypeAdapter
from rich.console import Console, RenderableType

from replfix.cli.commands import resolve as resolve_command
from replfix.core.conclude import conclude
from replfix.core.diagnosis import diagnosis as diagnosis_module
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.diagnosis.diagnosis import Diagnosis, Proposal
from replfix.core.plan.outcome import Outcome, Result, Round
from replfix.core.plan.risk import Concern, Risk, risks_about
from replfix.core.trail.audit_record import canonical
from replfix.present.page.confirmation_page import at_stake, confirmation_blocks, confirmation_page
from replfix.present.page.detail import REPORT, WHOLE
from replfix.present.page.incident_page import incident_page, next_words, running_page
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
    plain,
    strong,
    words,
)
from replfix.present.page.plan_page import warning_blocks
from replfix.present.page.rich_page import block_text, page_text
from tests.unit.fakes import Rows as HeldRows
from tests.unit.making import ORDERS, SOURCE, channel, column, evidence, inserted, key, status, table

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
    for named, said in (
        (None, "replication is running"),
        ("", "the default channel is running"),
        ("x", "channel x is"),
    ):
        assert said in on_terminal(page_text(running_page("db2", named)))


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
        Result.REHEARSED, "Dry run: x.", "Apply it.", (replace(done, applied=False, verified=False),), dry_run=True
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
    said = "! Deletes 1 row on the replica (shop.orders). A full copy is saved in the audit trail first."
    assert said in text
    assert "Cannot be undone once the transaction is applied." in text
    assert f"1. {plan.steps[0].sql}" in text
    assert text.index(said) < text.index("1. DELETE") < text.index("Replicas below this one")
    assert text.count("Deletes 1 row") == 1, "it is no warning a second time"
    assert at_stake(plan) == "source-wins: rows of shop.orders are deleted or changed."


def proposal(found: Diagnosis, strategy: str) -> Proposal:
    return next(each for each in found.proposals if each.strategy == strategy)


def test_a_transaction_that_is_left_out_never_looks_like_a_success() -> None:
    found = diagnosis()
    skipped = proposal(found, "skip").plan
    assert skipped is not None
    text = on_terminal(page_text(incident_page("db2", found)))
    assert "! skip (possible, 1 row left out): " in text
    assert "✔ skip" not in text
    done = Round(skipped, rehearsed=True, applied=True, verified=True)
    assert at_stake(skipped) == "skip: Leaves out 1 row of the transaction on this replica, for good."
    for each, dry_run, states in (
        (done, False, "skip: ! the transaction left out\n"),
        (replace(done, verified=False), False, "skip: ! the transaction left out, ✘ not verified\n"),
        (replace(done, applied=False, verified=False), False, "skip: ✘ the transaction not left out\n"),
        (replace(done, applied=False, verified=False), True, "skip: nothing can be rehearsed, - the transaction not left out\n"),
    ):  # fmt: skip
        ended = Outcome(Result.REHEARSED if dry_run else Result.RESOLVED, "It was left out.", "", (each,), (), dry_run)
        text = on_terminal(page_text(resolution_page("db2", ended)))
        assert states in text
        assert "! db2: It was left out." in text or dry_run
        assert "✔" not in text


def test_a_repair_beside_what_is_left_out_is_shown_apart() -> None:
    skipped = proposal(diagnosis(), "skip").plan
    repair = proposal(diagnosis(), "source-wins").plan
    assert skipped is not None
    assert repair is not None
    both = Round(replace(skipped, net_rows=repair.steps), rehearsed=True, applied=True, verified=True)
    text = on_terminal(page_text(resolution_page("db2", Outcome(Result.RESOLVED, "Done.", "", (both,)))))
    assert "skip: ✔ other rows rehearsed, ! 1 row left out, ✔ other rows verified" in text


def test_what_stopped_is_followed_by_what_would_be_done_about_it() -> None:
    lines = on_terminal(page_text(incident_page("db2", diagnosis()))).splitlines()
    (at,) = [n for n, line in enumerate(lines) if "is recommended." in line]
    assert lines[at].strip() == (
        "→ source-wins is recommended. Deletes 1 row on the replica (shop.orders). A full copy is saved in the audit trail first. "
        "It cannot be undone."
    )
    assert at < next(n for n, line in enumerate(lines) if line == "Why")


WIDE = table(
    "shop.wide",
    [column("id"), *(column(f"c{n}", "varchar", nullable=True) for n in range(43))],
    [key("PRIMARY", "id")],
)


def collision(rows: int) -> Diagnosis:
    """A collision of so many rows of 44 columns, all but two of which are the same."""
    same = ("x",) * 40
    held = HeldRows.of(WIDE)
    for n in range(rows):
        held = held.holding(WIDE, (n, "here", "too", None, *same))
    return conclude(evidence([inserted(WIDE, n, "there", "as", None, *same) for n in range(rows)], held))


def test_a_large_collision_is_counted_by_table_and_the_options_are_near() -> None:
    found = collision(24)
    lines = on_terminal(page_text(incident_page("db2", found)), width=120).splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("Options"))
    assert at < 45, "\n".join(lines[:at])
    text = "\n".join(lines)
    assert re.search(
        r"rows +table +conflict +key +columns that differ *\n +24 +shop.wide +✗ duplicate +PRIMARY +c0, c1 *\n", text
    )
    for said in ("≠  c0", "≠  c1", "41 columns are equal or not logged: 'replfix diagnose --all' shows all of them.",
                 "and 23 more: 'replfix diagnose --all' shows all of them.", "and 4 more statements: 'replfix diagnose --all' shows all of them"):  # fmt: skip
        assert said in text
    assert "  c5  " not in text
    assert len(lines) < 130
    assert "24 rows of the source in shop.wide then have the key PRIMARY of rows that would come back." in " ".join(
        text.split()
    )
    every = on_terminal(page_text(incident_page("db2", found, detail=WHOLE)), width=120)
    assert every.count("DELETE FROM") == 24
    assert every.count("✗ duplicate") == 24
    assert "--all" not in every
    ticket = markdown(incident_page("db2", found, detail=replace(REPORT, conflicts=10, examples=10)))
    assert ticket.count("✗ duplicate `shop.wide`") == 10
    assert "and 14 more: --json lists all of them." in ticket


def test_of_a_few_conflicts_every_one_is_shown() -> None:
    text = on_terminal(page_text(incident_page("db2", collision(5))))
    assert text.count("✗ duplicate shop.wide") == 5
    assert "columns that differ" not in text


def test_of_many_columns_that_differ_the_key_and_the_first_are_shown() -> None:
    held = HeldRows.of(WIDE).holding(WIDE, (1, *("here",) * 43))
    text = on_terminal(page_text(incident_page("db2", conclude(evidence([inserted(WIDE, 1, *("there",) * 43)], held)))))
    assert text.count("≠") == 11
    assert "32 more columns differ: 'replfix diagnose --all' shows all of them." in text


def test_the_question_repeats_the_first_of_many_statements() -> None:
    plan = proposal(collision(30), "source-wins").plan
    assert plan is not None
    text = on_terminal(page_text(confirmation_page(plan)))
    assert text.count("DELETE FROM") == 5
    for said in ("! Deletes 30 rows on the replica (shop.wide).", "and 25 more statements: 'replfix diagnose --all' shows all of them",
                 "START REPLICA"):  # fmt: skip
        assert said in text
    assert "Replicas below" not in text, "the warnings are on the page before it"


def test_a_run_shows_the_first_of_many_statements_and_where_all_of_them_are() -> None:
    plan = proposal(collision(30), "source-wins").plan
    assert plan is not None
    done = Round(plan, rehearsed=True, applied=True, verified=True)
    text = on_terminal(page_text(resolution_page("db2", Outcome(Result.RESOLVED, "Done.", "", (done,)))))
    assert text.count("DELETE FROM") == 20
    assert "and 10 more: the intent in the audit trail has every one" in text


def test_a_row_of_another_source_is_not_recommended_away() -> None:
    found = diagnosis()
    assert plain(next_words(found)).startswith("source-wins is recommended.")
    mine = found.evidence.channel
    other = channel(name="west", source_uuid=f"{SOURCE[:-1]}9", applier_running=True)
    theirs = replace(found, evidence=replace(found.evidence, status=status(mine, other)))
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patched:
        patched.setattr(diagnosis_module, "of_other_sources", lambda _: iter([(None, other)]))
        said = plain(next_words(theirs))
    assert said.startswith(
        "No option is recommended: a row of another source conflicts. Decide first whose the key is."
    )
    assert "source-wins: Deletes 1 row on the replica (shop.orders)." in said


def test_many_warnings_are_grouped_by_what_they_are_about() -> None:
    plan = proposal(diagnosis(), "source-wins").plan
    assert plan is not None
    few = on_terminal(map(block_text, warning_blocks(plan.risks)))
    assert len(plan.risks) == 3
    assert [line[0] for line in few.splitlines()] == ["!"] * 3, "a few are read as they are"
    source = risks_about(Concern.SOURCE, ["It is written last."])
    many = (*plan.risks, *source, "Of an older record, without a subject.")
    lines = [line.rstrip() for line in on_terminal(map(block_text, warning_blocks(many))).splitlines()]
    assert [line for line in lines if not line.startswith("  !")] == [
        "Rows of the replica:",
        "What is written on the source:",
        "Other servers:",
        "Settings and counters of the replica:",
    ]
    assert lines[1].startswith("  ! Deletes 1 row on the replica")
    assert lines[2] == "  ! Of an older record, without a subject."
    assert [line for line in lines if "super_read_only" in line] == lines[-1:]


def test_a_warning_is_recorded_and_compared_as_its_sentence() -> None:
    risk = Risk("It is deleted.", Concern.ROWS)
    assert risk == "It is deleted."
    assert canonical({"risks": [risk]}) == '{"risks":["It is deleted."]}'
    assert TypeAdapter(list[str]).dump_json([risk]) == b'["It is deleted."]'


@pytest.mark.parametrize("strategy", ["source-wins", "skip"])
def test_the_question_follows_what_is_deleted_or_left_out(
    strategy: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a terminal: the SQL is not to be scrolled back for."""
    asked: list[str] = []
    terminal = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr(resolve_command, "sys", SimpleNamespace(stdin=terminal, stderr=terminal))

    def no(text: str, **_: object) -> str:
        asked.append(text)
        return ""

    monkeypatch.setattr(click, "confirm", no)
    monkeypatch.setattr(click, "prompt", no)
    found = diagnosis()
    plan = proposal(found, strategy).plan
    assert plan is not None
    assert not resolve_command.ConfirmPlan("db2")(found, plan)
    last = capsys.readouterr().err.splitlines()[-10:]
    (question,) = asked
    if strategy == "skip":
        assert any("! Leaves out 1 row of the transaction on this replica, for good." in line for line in last)
        assert question.startswith("skip: Leaves out 1 row")
        assert question.endswith(f"To apply, type {plan.named_by}")
    else:
        assert any("! Deletes 1 row on the replica (shop.orders)." in line for line in last)
        assert any(plan.steps[0].sql in line for line in last)
        assert question == "Apply the plan on db2?"
