"""Values, states and texts as every face shows them."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replfix.core.binlog.secrets import without_passwords
from replfix.core.replication.replica_status import ChannelStatus, ReceiverState
from replfix.core.rows.row_values import NOT_LOGGED, Json, Value
from replfix.present.channel_state import State, error_of, lag_bars, state_of
from replfix.present.row_values_text import shown
from replfix.present.safe_text import harmless_json, visible
from tests.tui.backend import failing, running, stopped_by_hand
from tests.unit.making import channel

HIDDEN: tuple[Literal["Cc", "Cf", "Co", "Cs", "Zl", "Zp"], ...] = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")

# --- text ---


@given(st.text(alphabet=st.characters(), max_size=40))
def test_nothing_that_a_terminal_obeys_or_hides_is_left(text: str) -> None:
    for keep in (True, False):
        left = {c for c in visible(text, keep_newlines=keep) if unicodedata.category(c) in HIDDEN}
        assert left <= ({"\n"} if keep else set())


@given(st.text(alphabet=st.characters(exclude_categories=HIDDEN), max_size=40))
def test_what_can_be_shown_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plain", "plain"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb", "a\nb"),
        ("\x00\x7f\x9b", "\\x00\\x7f\\x9b"),
        ("\u202e", "\\u202e"),
        ("\U000e0001", "\\U000e0001"),
        ("\ud800", "\\ud800"),
        ("[/b]", "[/b]"),
        ("é請🛳", "é請🛳"),
    ],
)
def test_controls_are_spelt_out(text: str, wanted: str) -> None:
    assert visible(text) == wanted


def test_line_breaks_are_kept_only_where_they_may() -> None:
    assert visible("a\r\nb") == "a\\x0d\nb"
    assert visible("a\r\nb", keep_newlines=False) == "a\\x0d\\x0ab"


# --- values ---


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, "NULL"),
        ("NULL", "'NULL'"),
        ("", "''"),
        (b"", "0x"),
        (b"\x00\xff", "0x00FF"),
        (NOT_LOGGED, "(not logged)"),
        (Json("null"), "null"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.10"), "0.10"),
        (7, "7"),
        (1.5, "1.5"),
        ("a\nb", "'a\\x0ab'"),
    ],
)
def test_values_cannot_be_taken_for_each_other(value: Value, wanted: str) -> None:
    assert shown(value) == wanted


@pytest.mark.parametrize(
    ("value", "size"),
    [("x" * 1_000_000, "1000000 characters"), (b"x" * 5_000, "5000 bytes"), (Json("9" * 3_000), "3000 characters")],
)
def test_what_is_long_is_cut_with_its_length_said(value: Value, size: str) -> None:
    text = shown(value, 20)
    assert text.endswith(f"… ({size})")
    assert len(text) < 60


@given(st.text(max_size=100), st.integers(min_value=4, max_value=80))
def test_a_value_is_one_short_line(text: str, width: int) -> None:
    line = shown(text, width)
    assert not any(unicodedata.category(c) in HIDDEN for c in line)
    assert len(line) <= width * 2 + 40


# --- states ---


@pytest.mark.parametrize(
    ("of", "state"),
    [
        (running(), State.RUNNING),
        (running(None), State.RUNNING),
        (failing(), State.ERROR),
        (failing(1032), State.ERROR),
        (stopped_by_hand(), State.STOPPED),
        (channel(applier_running=True, receiver=ReceiverState.STOPPED), State.STOPPED),
        (channel(applier_running=False), State.STOPPED),
        (channel(applier_running=True, receiver=ReceiverState.CONNECTING), State.CONNECTING),
        (channel(applier_running=True, receiver=ReceiverState.CONNECTING, receiver_errno=2003), State.ERROR),
        (channel(applier_running=True, receiver_errno=2003), State.RUNNING),  # an old error of a receiver that runs
    ],
)
def test_the_state_of_a_channel(of: ChannelStatus, state: State) -> None:
    assert state_of(of) is state


def test_every_state_has_a_symbol_and_a_word_of_its_own() -> None:
    assert len({s.symbol for s in State}) == len({s.word for s in State}) == len({s.rank for s in State}) == len(State)
    assert all(s.label == f"{s.symbol} {s.word}" for s in State)


def test_the_error_in_a_few_words() -> None:
    assert error_of(running()) == ""
    assert error_of(failing()).startswith("1062 Write_rows on shop.orders")
    lost = replace(running(), receiver_errno=2003, receiver_message="refused")
    assert error_of(lost) == "2003 refused"


@pytest.mark.parametrize(
    ("history", "bars"),
    [
        ((), ""),
        ((0, 0, 0), "▁▁▁"),
        ((None,), "·"),
        ((None, 0, None), "·▁·"),
        ((0, 7), "▁█"),
        ((1, 1_000_000), "▁█"),
        ((5, 5), "██"),
    ],
)
def test_the_history_of_lag(history: tuple[int | None, ...], bars: str) -> None:
    assert lag_bars(history) == bars


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("No such command 'mysql://u:p@h'.", "No such command 'mysql://u:***@h'."),
        (
            "mariadb://u:p@ss:w/?#@h:3306 and postgresql+psycopg://x:y@z/d",
            "mariadb://u:***@h:3306 and postgresql+psycopg://x:***@z/d",
        ),
        ("/tmp/mysql:/u:p@h does not exist", "/tmp/mysql:/u:***@h does not exist"),
        ("mysql://h:3306 and dba@10.0.0.1", "mysql://h:3306 and dba@10.0.0.1"),
    ],
)
def test_no_password_of_a_url_is_repeated(text: str, wanted: str) -> None:
    assert without_passwords(text) == wanted


@given(
    st.recursive(
        st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20),
        lambda x: st.dictionaries(st.text("a\x9b\u202e\U000e0001", max_size=3), x, max_size=3),
    )
)
def test_a_json_document_says_the_same_and_nothing_to_a_terminal(value: object) -> None:
    text = harmless_json(json.dumps(value, ensure_ascii=False, indent=2))
    assert json.loads(text) == value
    assert {c for c in text if unicodedata.category(c) in HIDDEN} <= {"\n"}
