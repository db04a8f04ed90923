"""What is found in the packages of causes and strategies is what is used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from replfix.core.conclude import conclude, strategy_names
from replfix.core.replication.gtid import GtidSet
from replfix.core.rows.row_values import RowImage
from tests.unit.fakes import Rows
from tests.unit.making import ORDERS, SOURCE, evidence, inserted


def test_a_diagnosis_holds_causes_proposals_and_what_is_not_known() -> None:
    held = Rows.of(ORDERS).holding(ORDERS, (1, "x", None))
    gathered = replace(evidence([inserted(ORDERS, 1, "A", None)], held), unknowns=("Something is not known.",))
    diagnosis = conclude(gathered)
    assert diagnosis.evidence is gathered
    assert [cause.code for cause in diagnosis.causes] == ["unknown-author"]
    assert tuple(proposal.strategy for proposal in diagnosis.proposals) == strategy_names()
    assert diagnosis.unknowns == ("Something is not known.",)
    assert all(proposal.reason for proposal in diagnosis.proposals)


def test_nothing_is_proposed_for_a_transaction_that_the_replica_is_past() -> None:
    """Somebody left it out by hand; the channel shows its error until it is started."""
    gathered = evidence([inserted(ORDERS, 1, "A", None)], Rows.of(ORDERS).holding(ORDERS, (1, "x", None)))
    past = replace(gathered, status=replace(gathered.status, executed=GtidSet.parse(f"{SOURCE}:1-6")))
    assert any(proposal.plan for proposal in conclude(gathered).proposals)
    for proposal in conclude(past).proposals:
        assert proposal.plan is None
        assert "START REPLICA" in proposal.reason


@pytest.mark.parametrize(
    ("version", "held", "said"),
    [
        ("9.7.4", (1, "x", None), "only has to be started"),
        ("10.11.19-MariaDB", (1, "A", None), "only has to be started"),
        ("10.11.19-MariaDB", (1, "x", None), "never gets what is before it"),
    ],
)
def test_a_position_behind_a_transaction_whose_rows_are_not_here(version: str, held: RowImage, said: str) -> None:
    """MariaDB 10.11 stores the position of a prepared XA transaction behind the failing one, with parallel threads."""
    gathered = evidence([inserted(ORDERS, 1, "A", None)], Rows.of(ORDERS).holding(ORDERS, held))
    past = replace(gathered.status, version=version, executed=GtidSet.parse(f"{SOURCE}:1-6"))
    for proposal in conclude(replace(gathered, status=past)).proposals:
        assert proposal.plan is None
        assert said in proposal.reason
