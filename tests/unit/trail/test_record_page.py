"""What a record says in a list, and what is copied from it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from replfix.core.trail.audit_record import START, AuditRecord, RecordKind, canonical, chained
from replfix.present.page.page_model import Page
from replfix.present.page.record_page import in_short, raw_json, sections, undo_sql
from replfix.present.page.rich_page import page_text

STEP = {
    "schema": "shop", "table": "orders", "sql": "DELETE 1", "undo_sql": "INSERT 1", "columns": ["z", "a"],
    "current": {"a": "x" * 50, "z": {"base64": "QUJD" * 20}}, "target": None,
}  # fmt: skip
PLAN = {"strategy": "source-wins", "errno": 1062, "steps": [STEP, STEP | {"table": "lines", "undo_sql": "INSERT 2"}]}


def record(payload: dict[str, object]) -> AuditRecord:
    return chained(
        START, recorded_at=datetime(2026, 3, 1, tzinfo=UTC), kind=RecordKind.INTENT, incident="i", replica="r",
        channel="", author="me", version="0", payload=canonical(payload),
    )  # fmt: skip


def printed(payload: dict[str, object], limit: int | None = None) -> str:
    console = Console(width=120, force_terminal=False, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        for part in page_text(Page(tuple(sections(payload, limit)))):
            console.print(part)
        return console.export_text()


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ({"plan": PLAN}, "source-wins, error 1062: 2 rows deleted or changed, shop.orders, shop.lines"),
        (PLAN, "source-wins, error 1062: 2 rows deleted or changed, shop.orders, shop.lines"),
        (
            {"plan": PLAN | {"strategy": "undo", "steps": [], "on_source": {"server_uuid": "u", "steps": [STEP]}}},
            "undo, error 1062: 0 rows deleted or changed, 1 on the source, shop.orders",
        ),
        ({"variables": {"super_read_only": "1"}}, "super_read_only=1"),
        ({"result": "failed", "detail": "a\x1b[2J\nb"}, r"failed: a\x1b[2J\x0ab"),
        ({"result": "applied", "detail": ""}, "applied"),
        ({"why": "x", "n": 1}, "n: 1, why: x"),
        ({}, ""),
    ],
)
def test_in_short(payload: dict[str, object], words: str) -> None:
    assert in_short(record(payload)) == words


def test_many_tables_are_counted() -> None:
    steps = [STEP | {"table": f"t{n}"} for n in range(5)]
    assert in_short(record({"plan": PLAN | {"steps": steps}})).endswith("shop.t0, shop.t1, shop.t2 and 2 more")


def test_undo_is_what_was_recorded_else_the_steps_taken_back_in_reverse() -> None:
    assert undo_sql({"plan": PLAN}) == "INSERT 2;\nINSERT 1;"
    assert undo_sql({"plan": PLAN, "undo": ["SET x", "INSERT 2"]}) == "SET x;\nINSERT 2;"
    assert undo_sql({"why": 1}) == ""


def test_raw_json_holds_everything_also_of_an_altered_record() -> None:
    whole = record({"plan": PLAN})
    document = json.loads(raw_json(whole))
    assert document["payload"] == {"plan": PLAN}
    assert (document["hash"], document["sound"]) == (whole.hash, True)
    altered = json.loads(raw_json(replace(whole, payload="{")))
    assert (altered["payload"], altered["sound"]) == ("{", False)
    assert in_short(replace(whole, payload="{")) == "cannot be read: it was altered"


def test_columns_stand_in_the_order_of_the_table() -> None:
    out = printed({"plan": PLAN})
    assert out.index(" z ") < out.index(" a ")


def test_long_values_are_cut_with_their_length_and_whole_without_a_limit() -> None:
    cut = printed({"plan": PLAN}, 10)
    assert f"'{'x' * 10}'… (50 characters)" in cut
    assert "… (122 characters)" in cut
    assert "x" * 50 in printed({"plan": PLAN})


def test_an_error_and_causes_are_sentences() -> None:
    causes = [{"code": "local-write", "confidence": "high", "evidence": ["It was."]}, "odd"]
    out = printed({"plan": PLAN, "causes": causes, "error": {"errno": 1062, "message": "Duplicate"}})
    for words in ("1062 Duplicate", "● local-write (high confidence)", "- It was.", "'odd'"):
        assert words in out


def test_rows_that_stay_are_named() -> None:
    row = {"schema": "d", "table": "c", "foreign_key": "f", "columns": ["id", "v"], "row": {"id": 1, "v": "[/b]\x1b"}}
    text = printed({"plan": PLAN | {"kept": [row]}})
    assert "Stay, although the row that they reference goes" in text
    assert r"d.c, by f: (id=1, v='[/b]\x1b')" in text


def test_what_was_left_out_stands_row_by_row() -> None:
    row = {"kind": "insert", "schema": "d", "table": "t", "before": None, "after": {"id": 1, "v": "[/b]\x1b"}}
    plan = {"strategy": "skip", "errno": 1062, "steps": [], "left_out": {"rows": [row], "statement": ""}}
    text = printed({"plan": plan})
    assert "Left out on this replica, for good" in text
    assert r"insert d.t: (id=1, v='[/b]\x1b')" in text
    assert in_short(record({"plan": plan})) == "skip, error 1062: 1 row left out"
