"""The report for the ticket: everything is in it, and no row data breaks its Markdown (read back with a real parser)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from replfix.core.conclude import conclude
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.plan.outcome import Outcome, Result, Round
from replfix.core.remedies.remedy import LeadsTo, Remedy
from replfix.core.rows.row_values import NOT_LOGGED, Json, Value
from replfix.core.schema.table import Table
from replfix.core.sql import UNDO_SETTINGS
from replfix.present import report
from replfix.present.markdown import code, fenced, sentence
from replfix.present.markdown import table as markdown_table
from replfix.present.page import markdown_page
from replfix.present.page.detail import REPORT
from replfix.present.page.markdown_page import VALUE_WIDTH
from replfix.present.report import incident_report
from replfix.present.row_values_text import shown
from replfix.present.safe_text import visible
from tests.unit.fakes import Rows
from tests.unit.making import ORDERS, column, evidence, inserted, key, table

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OURS = {"<code>", "</code>", "<!-- -->"}

HOSTILE = (
    "|", "a|b", "\\|", "\\", "`", "``", "```", "````\n# x", "\n\n# heading", "<script>alert(1)</script>", "<!--", "-->",
    "</code>", "&amp;", "&#124;", "**b**", "_i_", "[x](http://x)", "![x](http://x)", "http://x.example/", "~~x~~", "$x$",
    "- item", "1. one", "> quote", "---", "===", "\x1b[31m", "\x00", "\u202eabc", "\u2028", "\r", "@everyone", " ", "", "\t",
    "\ud800", "{{x}}", "\\`", "`|`", "+", "10) x",
)  # fmt: skip
TEXT = st.one_of(
    st.sampled_from(HOSTILE),
    st.lists(st.sampled_from(HOSTILE), max_size=4).map("".join),
    st.text(max_size=30),
    st.text(alphabet="`|\\<>&*_[]()#!~-+.:/@ \n\t1a", max_size=20),
)
VALUE: st.SearchStrategy[Value] = st.one_of(
    TEXT, TEXT.map(Json), st.binary(max_size=8), st.none(), st.just(NOT_LOGGED), st.integers(), st.just(Decimal("1.50"))
)


def made(of: Table = ORDERS, *, incoming: tuple[Value, ...], held: tuple[Value, ...], words: str = "fits") -> Diagnosis:
    """A diagnosis of one insert that meets one row of the replica; ``words`` is in every sentence."""
    found = conclude(evidence([inserted(of, *incoming)], Rows.of(of).holding(of, held), unknowns=(words,)))
    cause = Cause("local-write", Confidence.HIGH, words, (words, words))
    return replace(found, causes=(cause,))


def plain(words: str = "fits") -> Diagnosis:
    return made(incoming=(3, "A-3", Decimal("1.50")), held=(3, "A-9", None), words=words)


def inline(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield from token.children or ()


def known_text(token: Token) -> str:
    return "".join(c.content for c in token.children or () if c.type != "html_inline")


def cells(tokens: list[Token]) -> list[list[str]]:
    """The rows of every table, without their heads."""
    rows: list[list[str]] = []
    for at, token in enumerate(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "td_open":
            rows[-1].append(known_text(tokens[at + 1]))
    return [row for row in rows if row]


def shape(text: str) -> list[tuple[str, int]]:
    return [(t.type, t.level) for t in MARKDOWN.parse(text)]


# --- what is in it ---


def test_everything_that_was_found_is_said() -> None:
    diagnosis = plain("The replica's own binlog has it.")
    text = incident_report("db2", diagnosis)
    assert text.startswith("# db2: the default channel is stopped by error 1062 in `Write_rows` on `shop.orders`")
    assert "Duplicate entry '3' for key" in text
    assert "`aaaaaaaa-0000-0000-0000-000000000001:6`, 1 row, committed 2026-03-01 12:30:45 UTC" in text
    assert "- **local-write** (high confidence): The replica's own binlog has it." in text
    assert "## Open questions" in text
    assert "|  | column | incoming | replica | source now |" in text
    assert "| ≠ | `number` | `'A-3'` | `'A-9'` | (no row) |" in text
    assert "|  | `id` | `3` | `3` | (no row) |" in text
    plan = diagnosis.proposals[0].plan
    assert plan is not None
    assert f"```sql\n{plan.steps[0].sql};\n```" in text
    undo = "".join(f"{statement};\n" for statement in (*UNDO_SETTINGS, plan.steps[0].undo_sql))
    assert f"```sql\n{undo}```" in text
    assert plan.digest[:12] in text
    assert len([t for t in MARKDOWN.parse(text) if t.type == "fence"]) == 3
    for words in ("### Preconditions", "### Warnings", "### Undo", plan.undo_outlook, "START REPLICA"):
        assert words in text


def test_the_outcome_with_its_records_comes_before_the_plan_that_was_carried_out() -> None:
    diagnosis = plain()
    plan = diagnosis.proposals[0].plan
    assert plan is not None
    done = Round(plan, rehearsed=True, applied=True, verified=False, audit_id="abcdef012345")
    outcome = Outcome(Result.FAILED, "Not verified.", "Look.", (done,), ("111111111111", "abcdef012345"))
    text = incident_report("db2", diagnosis, outcome)
    assert text.index("**Failed**: Not verified.") < text.index("## Plan")
    assert "✔ rehearsed, ✔ applied, ✘ not verified" in text
    assert "- On record: `replfix audit show abcdef012345`" in text
    assert "- Settings and outcomes on record: `111111111111`" in text
    assert "Next: Look." in text
    assert "## Options" not in text
    rehearsed = incident_report("db2", diagnosis, replace(outcome, dry_run=True, result=Result.REHEARSED))
    assert "… Not verified." in rehearsed


def test_an_outcome_without_rounds_still_shows_what_can_be_done() -> None:
    text = incident_report("db2", plain(), Outcome(Result.NOTHING_TO_DO, "Replication runs."))
    assert "**Nothing to do**: Replication runs." in text
    assert "## Options" in text


def test_nothing_read_is_said_too() -> None:
    found = plain()
    bare = replace(found.evidence, transaction=None, reconciliation=None, source_rows=())
    text = incident_report("db2", Diagnosis(bare, (), (), ("The binlog is gone.",)))
    assert "No cause that replfix knows fits" in text
    assert "- The binlog is gone." in text
    assert "Conflicts" not in text


def test_long_values_are_cut_with_their_length() -> None:
    wide = made(incoming=(3, "x" * 1_000_000, None), held=(3, "y" * 500, None), words="z" * 5_000)
    text = incident_report("db2", wide)
    assert "(1000000 characters)" in text
    assert "(5000 characters)" in text
    assert len(text) < 40_000
    assert "Not to be copied from here" not in text  # the DELETE names its row by the key only
    plan = wide.proposals[0].plan
    assert plan is not None
    assert any(len(step.undo_sql) > 500 for step in plan.steps)


def test_statements_that_cannot_be_copied_say_so() -> None:
    text = incident_report("db2", made(incoming=(3, "a", None), held=(3, "x\u202ey" + "z" * 5_000, None)))
    assert "Not to be copied from here" in text
    assert "\u202e" not in text


def test_many_conflicts_and_statements_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "REPORT", replace(REPORT, conflicts=0, examples=0))
    monkeypatch.setattr(markdown_page, "STATEMENTS", 0)
    text = incident_report("db2", plain())
    assert "| 1 | `shop.orders` | ✗ duplicate | `PRIMARY` | `number, total` |" in text
    assert text.count("And 1 more.") == 2  # the step, and START REPLICA
    assert f"And {len(UNDO_SETTINGS) + 1} more." in text


# --- what cannot break it ---


@given(TEXT)
def test_code_reads_back_as_the_text_also_in_a_table(text: str) -> None:
    wanted = visible(text, keep_newlines=False)
    (row,) = cells(MARKDOWN.parse("\n".join(markdown_table(["a", "b", "c"], [["≠", code(text), "end"]]))))
    assert row[0] == "≠"
    assert row[2] == "end"
    assert row[1] == wanted
    paragraph = MARKDOWN.parse(f"- {code(text)}: end")
    assert [t.type for t in paragraph][:3] == ["bullet_list_open", "list_item_open", "paragraph_open"]
    assert {c.content for c in inline(paragraph) if c.type == "html_inline"} <= OURS


@given(TEXT)
def test_a_sentence_reads_back_as_the_text_and_is_one_paragraph(text: str) -> None:
    tokens = MARKDOWN.parse(f"- before\n- {sentence('A' + text)}\n- after\n")
    assert [t.type for t in tokens].count("inline") == 3
    middle = [t for t in tokens if t.type == "inline"][1]
    assert known_text(middle) == visible("A" + text, keep_newlines=False).strip()
    assert {c.type for c in middle.children or ()} <= {"text", "text_special", "html_inline"}
    alone = MARKDOWN.parse(sentence(text) or "x")
    assert [t.type for t in alone] == ["paragraph_open", "inline", "paragraph_close"]


@given(st.lists(TEXT, min_size=1, max_size=3))
def test_a_fence_is_longer_than_any_within(lines: list[str]) -> None:
    block, after = (t for t in MARKDOWN.parse("\n".join([*fenced(lines, "sql"), "", "after"])) if t.content)
    assert block.type == "fence"
    assert block.content == "".join(visible(line) + "\n" for line in lines)
    assert after.content == "after"


@given(TEXT, TEXT, TEXT, TEXT)
def test_hostile_names_and_words_leave_the_shape_as_it_is(name: str, words: str, first: str, second: str) -> None:
    """Names of columns, keys and tables too: anything may stand in backquotes."""

    def of(a: str, b: str, c: str) -> Table:
        return table(f"{a}.{b}", [column("id"), column(c, "varchar", nullable=True)], [key("PRIMARY", "id")])

    hostile = made(of("s", first, second), incoming=(3, "a"), held=(3, "b"), words="w" + words)
    calm = made(of("s", "t", "c"), incoming=(3, "a"), held=(3, "b"), words="w")
    # Whether the statements may be copied from the report depends on their characters.
    hostile, calm = (replace(d, proposals=tuple(replace(p, plan=None) for p in d.proposals)) for d in (hostile, calm))
    assert shape(incident_report("n" + name, hostile)) == shape(incident_report("n", calm))


@given(st.tuples(VALUE, VALUE), st.tuples(VALUE, VALUE))
def test_hostile_values_are_in_the_cells_and_nowhere_else(
    incoming: tuple[Value, Value], held: tuple[Value, Value]
) -> None:
    of = table(
        "d.t", [column("id"), column("a", "varchar", nullable=True), column("b", "varchar", nullable=True)],
        [key("PRIMARY", "id")],
    )  # fmt: skip
    try:
        diagnosis = made(of, incoming=(3, *incoming), held=(3, *held))
    except ValueError:
        return  # a value that no MySQL column holds, e.g. half a surrogate pair: no SQL can be written for it
    tokens = MARKDOWN.parse(incident_report("db2", diagnosis))
    rows = cells(tokens)
    assert [row[1] for row in rows] == ["id", "a", "b"]
    for row, mine, theirs in zip(rows, (3, *incoming), (3, *held), strict=True):
        assert row[2] == shown(mine, VALUE_WIDTH)
        assert row[3] == shown(theirs, VALUE_WIDTH)
    assert not any(t.type == "html_block" for t in tokens)
    assert {c.content for c in inline(tokens) if c.type == "html_inline"} <= OURS
    assert not {"link_open", "image", "em_open", "s_open"} & {c.type for c in inline(tokens)}


@given(TEXT, TEXT)
def test_advice_and_its_statements_break_nothing(words: str, statement: str) -> None:
    """A definition of a server's is in both: a comment of a column can hold anything."""
    told = incident_report(
        "db2", replace(plain(), advice=(Remedy(f"a {words} z", (f"ALTER {statement} END",), LeadsTo.NEXT_TRANSACTION),))
    )
    tokens = MARKDOWN.parse(told)
    last = [t.map[0] for t in tokens if t.type == "heading_open" and t.tag == "h2" and t.map][-1]
    assert told.splitlines()[last] == "## Manual steps"
    fences = [t for t in tokens if t.type == "fence" and t.map and t.map[0] > last]
    assert len(fences) == 1
    content = fences[0].content  # a statement with a semicolon in it ends with another delimiter
    assert content.startswith("ALTER ") or content.splitlines()[1].startswith("ALTER ")
    assert content.endswith((" END;\n", "\nDELIMITER ;\n"))
