"""A remedy says where it is run, what it loses and what is true afterwards, on every face."""

from __future__ import annotations

from dataclasses import replace

import pytest

from replfix.cli.documents.diagnosis import diagnosis_document
from replfix.core.binlog.statement import Statement
from replfix.core.conclude import conclude
from replfix.core.diagnosis.diagnosis import Diagnosis, Proposal
from replfix.core.remedies.remedy import SHELL, SOURCE, LeadsTo, Loss, Remedy
from replfix.present.page.incident_page import reasons
from replfix.present.remedy_text import for_client, remedy_texts
from replfix.present.report import incident_report
from tests.unit.fakes import Rows
from tests.unit.making import ORDERS, evidence, inserted

DROP = Remedy("Drop it.", ("DROP TABLE `d`.`t`",), LeadsTo.NEXT_TRANSACTION, loses=(Loss(2, "row", "d.t"),))


def advised(*remedies: Remedy) -> Diagnosis:
    return replace(conclude(evidence([inserted(ORDERS, 3, "A", None)], Rows.of(ORDERS))), advice=remedies)


def test_statements_without_what_they_lead_to_are_no_remedy() -> None:
    with pytest.raises(ValueError, match="what they lead to"):
        Remedy("Do it.", ("DO 1",))
    with pytest.raises(ValueError, match="what they lead to"):
        Remedy("Do it.", leads_to=LeadsTo.LEFT_OUT)


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (Loss(1, "row", "d.t"), "1 row of d.t"),
        (Loss(1200, "value", "d.t.c"), "1,200 values of d.t.c"),
        (Loss(None, "row", "d.t"), "an unknown number of rows of d.t"),
        (Loss(1, "transaction"), "1 transaction"),
    ],
)
def test_a_loss_in_words(loss: Loss, words: str) -> None:
    assert loss.in_words == words


def test_everything_is_said_in_words() -> None:
    source = Remedy("There.", ("DO 1",), LeadsTo.NEXT_STEP, where=SOURCE)
    shell = Remedy("Remove it.", ("rm file",), LeadsTo.CHANNEL_RUNS, where=SHELL)
    nothing = Remedy("Rebuild the replica.")
    first, second, third, last = remedy_texts(advised(DROP, source, shell, nothing))
    assert (first.where, first.sql) == ("On the replica, in a session of its own:", ("DROP TABLE `d`.`t`;",))
    assert first.loses == "Loses 2 rows of d.t."
    assert first.leads_to.startswith("Afterwards: the replica applies the failing transaction itself")
    assert second.where.startswith("On the source (")
    assert (second.loses, third.sql) == ("", ("rm file",))
    assert (last.where, last.sql, last.leads_to) == ("", (), "")


def test_json_holds_what_a_judge_can_check() -> None:
    drop, nothing = diagnosis_document("db2", advised(DROP, Remedy("Rebuild it."))).model_dump(mode="json")["advice"]
    assert (drop["where"], drop["leads_to"]["code"]) == ("replica", "next-transaction")
    assert drop["loses"] == [{"number": 2, "what": "row", "of": "d.t"}]
    assert nothing == {"text": "Rebuild it.", "where": None, "sql": [], "loses": [], "leads_to": None}


@pytest.mark.parametrize(
    ("statement", "leads_to"),
    [
        (None, LeadsTo.NEXT_ROW),  # rows were logged
        (Statement("d", "ALTER TABLE t ADD COLUMN c INT", whole=True), LeadsTo.NEXT_TRANSACTION),
        (Statement("d", "CREATE TABLE t (c INT) START TRANSACTION"), LeadsTo.NEXT_ROW),  # its rows follow
        (Statement("d", "ALTER TABLE t ADD UNIQUE KEY k (c)", whole=True), LeadsTo.NEXT_ROW),
    ],
)
def test_the_next_transaction_is_promised_only_where_rows_cannot_stop_this_one(
    statement: Statement | None, leads_to: LeadsTo
) -> None:
    privilege = 1142
    stopped = evidence([inserted(ORDERS, 3, "A", None)], Rows.of(ORDERS), errno=privilege)
    (remedy,) = (one for one in conclude(replace(stopped, statement=statement)).advice if one.sql)
    assert remedy.leads_to is leads_to


def test_the_report_has_all_of_it() -> None:
    report = incident_report("db2", advised(DROP))
    for words in ("## Manual steps", "On the replica", "DROP TABLE `d`.`t`;", "Loses 2 rows of d.t.", "Afterwards: "):
        assert words in report


def test_a_reason_that_strategies_share_is_said_once() -> None:
    alike = [Proposal(name, None, "It cannot be read.") for name in ("source-wins", "keep-both")]
    assert reasons([*alike, Proposal("skip", None, "No GTID.")]) == [
        "It cannot be read.",
        "see source-wins.",
        "No GTID.",
    ]


def test_a_body_with_semicolons_ends_with_another_delimiter() -> None:
    assert list(for_client("SET @a = ';'")) == ["SET @a = ';';"]
    body = "CREATE FUNCTION f() RETURNS INT BEGIN RETURN 1; END -- //"
    assert list(for_client(body)) == ["DELIMITER $$", f"{body}\n$$", "DELIMITER ;"]
