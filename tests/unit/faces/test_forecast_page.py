"""The page and the document of a forecast: what stops the replica first, who wrote the rows, what was not looked at."""

from __future__ import annotations

import json
from decimal import Decimal
from io import StringIO

import pytest
from rich.console import Console

from replfix.cli.documents.forecast import ForecastDocument, forecast_document
from replfix.core.conflicts.ahead.forecast import Author, Forecast, Unscanned
from replfix.core.replication.transaction_id import TransactionId
from replfix.errors import ConnectError
from replfix.present.page.detail import WHOLE
from replfix.present.page.forecast_page import forecast_page, more_ahead
from replfix.present.page.markdown_page import markdown
from replfix.present.page.page_model import Page
from replfix.present.page.rich_page import page_text
from tests.unit.making import ORDERS, REPLICA, SOURCE, WHEN, deleted, inserted, updated
from tests.unit.making_forecasts import DAY, LOCAL, forecast

LATER = Unscanned("4,000 transactions", "--max-rows 100 was reached", since=TransactionId(f"{SOURCE}:9", "b.1", 4, 99))
NO_KEY = Unscanned("shop.log", "It has no key that names its rows.", ORDERS.name)
ROW = (1, "A-1", Decimal("9.50"))
HOSTILE = "a[bold]b[/bold]\x1b[31m\u202e|`x`\nnext"


def text(page: Page, width: int = 120) -> str:
    out = Console(file=StringIO(), width=width, markup=False, highlight=False, emoji=False)
    for part in page_text(page):
        out.print(part, crop=False)
    assert isinstance(out.file, StringIO)
    return out.file.getvalue()


def flat(page: Page) -> str:
    return " ".join(text(page).split())


INSERT = forecast([inserted(ORDERS, *ROW)], held=[(1, "R-1", None)])
SILENT = forecast(
    [updated(ORDERS, ROW, (1, "A-1", Decimal(1)))],
    [deleted(ORDERS, 2, "x", None)],
    held=[(1, "R-1", None), (2, "y", None)],
)
MANY = forecast(
    *([inserted(ORDERS, n, f"A-{n}", None)] for n in range(1, 13)),
    [deleted(ORDERS, 99, "A-99", None)],
    held=[(n, f"R-{n}", None) for n in range(1, 13)],
    authors=[LOCAL] * 11 + [Author(None, WHEN - DAY, None, None, own=False), None],
    unscanned=(LATER, NO_KEY),
    count=700,
)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            INSERT,
            "✗ db2: the default channel: 1 conflict ahead stops the replica: the next is a duplicate row in shop.orders (error "
            f"1062), in transaction {SOURCE}:6.",
        ),
        (
            MANY,
            "✗ db2: the default channel: 13 conflicts ahead stop the replica: the next is a duplicate row in shop.orders (error "
            f"1062), in transaction {SOURCE}:6. Not everything was looked at.",
        ),
        (
            SILENT,
            "! db2: the default channel: no conflict ahead stops the replica; 2 rows are overwritten or deleted without an error.",
        ),
        (
            forecast([inserted(ORDERS, *ROW)]),
            "✔ db2: the default channel: nothing ahead: no transaction of the backlog conflicts",
        ),
        (forecast(), "✔ db2: the default channel: no transaction is waiting to be applied."),
        (
            forecast(unscanned=(NO_KEY,)),
            "? db2: the default channel: no conflict was found, and not everything was looked at.",
        ),
    ],
)
def test_the_first_sentence(found: Forecast, said: str) -> None:
    page = forecast_page("db2", found)
    assert flat(page).startswith(said)
    assert text(page, 80)
    assert markdown(page).startswith("# ")


def test_the_whole_page() -> None:
    said = flat(forecast_page("db2", MANY, "db2"))
    parts = [
        "Looked at 700 transactions, 13 rows, 52 events, in 1.2 s",
        "With conflicts 13 transactions",
        "→ When the channel is stopped on the first of them, 'replfix resolve db2 --dry-run' plans the repair",
        "Not looked at",
        f"? 4,000 transactions (from transaction {SOURCE}:9 on): --max-rows 100 was reached.",
        "? shop.log: It has no key that names its rows.",
        "Who wrote the rows",
        f"● 11 of 13: written by one transaction of the replica itself, {REPLICA}:42, 2026-02-28 12:30:45 UTC, connection 29",
        "DELETE FROM shop.orders WHERE total < 5",
        "● 1 of 13: written by one transaction of another server, 2026-02-28 12:30:45 UTC",
        "? 1 of 13: unknown who wrote or deleted the rows.",
        "Conflicts that stop the replica: 13",
        "rows table conflict key columns that differ",
        "12 shop.orders ✗ duplicate PRIMARY number",
        "1. ✗ duplicate shop.orders, key PRIMARY (id), row 1 of the transaction",
        f"In {SOURCE}:6, committed 2026-03-01 12:30:46 UTC: stops the applier with error 1062.",
        "≠ number 'A-1' 'R-1'",
        "13. ∅ missing shop.orders",
        "and 11 more: 'replfix forecast --all' shows all of them.",
    ]
    at = [said.find(part) for part in parts]
    assert -1 not in at, parts[at.index(-1)]
    assert at == sorted(at)
    assert "source now" not in said, "the source's rows are not read"
    everything = flat(forecast_page("db2", MANY, detail=WHOLE))
    assert all(f"{n}. ✗ duplicate" in everything for n in range(1, 13))
    assert "more:" not in everything


def test_what_happens_without_an_error() -> None:
    said = flat(forecast_page("db2", SILENT))
    assert "Rows that are overwritten without an error: 1" in said
    assert "UTC: the applier overwrites the row." in said
    assert "Rows that are deleted without an error: 1" in said
    assert "copy those rows first" in said
    assert "replfix resolve" not in said, "there is nothing to resolve"


@pytest.mark.parametrize(
    ("proven", "said"),
    [
        (True, "the replica's applier met 1 conflict in a rehearsal that was rolled back"),
        (False, "met 0 conflicts in a rehearsal that was rolled back, and went past 1"),
    ],
)
def test_what_the_replica_has_proven(proven: bool, said: str) -> None:
    found = forecast([inserted(ORDERS, *ROW)], held=[(1, "R-1", None)], proven=proven)
    assert said in flat(forecast_page("db2", found))


@pytest.mark.parametrize(
    ("found", "stopped_on", "said"),
    [
        (MANY, f"{SOURCE}:6", "and at least 12 more conflicts ahead"),
        (INSERT, None, "and 1 more conflict ahead"),
        (INSERT, f"{SOURCE}:6", "and nothing more ahead"),
        (
            forecast(unscanned=(NO_KEY,), count=3),
            None,
            "no further conflict in the next 3 transactions; not all were looked at",
        ),
    ],
)
def test_how_many_more_than_the_one_it_is_stopped_on(found: Forecast, stopped_on: str | None, said: str) -> None:
    assert more_ahead(found, stopped_on) == said


def test_nothing_of_a_server_is_obeyed() -> None:
    hostile = Author(HOSTILE, WHEN, 1, HOSTILE)
    found = forecast(
        [inserted(ORDERS, 1, HOSTILE, None)],
        held=[(1, HOSTILE + "2", None)],
        authors=[hostile],
        unscanned=(Unscanned(HOSTILE, HOSTILE),),
    )
    page = forecast_page(HOSTILE, found, HOSTILE)
    assert "\x1b" not in text(page)
    assert "\u202e" not in text(page)
    assert "[bold]b" in text(page), "shown, not read as markup"
    assert "\x1b" not in markdown(page)
    assert "`a[bold]" not in text(page)


# --- the document ---


def document(*looked_at: tuple[str, object, int]) -> dict[str, object]:
    made = forecast_document(looked_at)  # type: ignore[arg-type]
    read: dict[str, object] = json.loads(made.model_dump_json(by_alias=True))
    assert json.loads(ForecastDocument.model_validate(read).model_dump_json(by_alias=True)) == read
    return read


def test_the_document_has_every_conflict_with_its_replica_and_groups_that_lead_to_them() -> None:
    lost = ConnectError("Cannot connect to db4:3306.", "Is it up?")
    read = document(("db2", INSERT, 3), ("db3", MANY, 3), ("db4", lost, 6))
    assert read["schema"] == "replfix.forecast/1"
    conflicts, groups, scanned = read["conflicts"], read["groups"], read["scanned"]
    assert isinstance(conflicts, list)
    assert isinstance(groups, list)
    assert isinstance(scanned, dict)
    assert [c["replica"] for c in conflicts] == ["db2"] + ["db3"] * 13
    first = conflicts[0]
    assert {
        k: first[k] for k in ("kind", "schema", "table", "key", "key_columns", "errno", "effect", "proven", "alias")
    } == {
        "kind": "duplicate",
        "schema": "shop",
        "table": "orders",
        "key": "orders.PRIMARY",
        "key_columns": ["id"],
        "errno": 1062,
        "effect": "stops",
        "proven": None,
        "alias": "insert_exists",
    }
    assert first["incoming"] == {"id": 1, "number": "A-1", "total": "9.50"}
    assert first["replica_row"] == {"id": 1, "number": "R-1", "total": None}
    assert first["source_row"] == {"not_read": "a forecast does not read the source's rows"}
    assert first["differences"] == ["number", "total"]
    assert first["transaction"] == {
        "gtid": f"{SOURCE}:6",
        "log_file": "binlog.000001",
        "start_pos": 400,
        "end_pos": 792,
        "committed_at": "2026-03-01T12:30:46+00:00",
        "number": 1,
    }
    assert [group["conflicts"] for group in groups] == [list(range(1, 12)), [12], [13]]
    assert [group["author"] and group["author"]["own"] for group in groups] == [True, False, None]
    assert {k: scanned[k] for k in ("transactions", "events", "rows", "seconds", "complete")} == {
        "transactions": 701,
        "events": 56,
        "rows": 14,
        "seconds": 2.5,
        "complete": False,
    }
    assert [(u["replica"], u["table"], u["since"] and u["since"]["gtid"]) for u in scanned["unscanned"]] == [
        ("db3", None, f"{SOURCE}:9"),
        ("db3", "orders", None),
    ]
    assert read["replicas"] == [
        {"name": "db2", "channel": "", "complete": True, "exit_code": 3, "error": None, "hint": None},
        {"name": "db3", "channel": "", "complete": False, "exit_code": 3, "error": None, "hint": None},
        {
            "name": "db4",
            "channel": None,
            "complete": False,
            "exit_code": 6,
            "error": "Cannot connect to db4:3306.",
            "hint": "Is it up?",
        },
    ]


def test_a_replica_that_is_not_known_leaves_the_whole_incomplete() -> None:
    scanned = document(("db2", forecast(), 0), ("db4", ConnectError("Gone."), 6))["scanned"]
    assert isinstance(scanned, dict)
    assert scanned["complete"] is False
