"""What is found in the packages of causes and strategies is what is used."""

from __future__ import annotations

from dataclasses import replace

from replfix.core import strategies
from replfix.core.conclude import conclude, strategy_names
from replfix.core.discover import modules_of
from tests.unit.fakes import Rows
from tests.unit.making import ORDERS, evidence, inserted


def test_modules_come_by_name() -> None:
    names = [module.__name__ for module in modules_of(strategies)]
    assert names == sorted(names)
    assert "replfix.core.strategies.source_wins" in names


def test_a_diagnosis_holds_causes_proposals_and_what_is_not_known() -> None:
    held = Rows.of(ORDERS).holding(ORDERS, (1, "x", None))
    gathered = replace(evidence([inserted(ORDERS, 1, "A", None)], held), unknowns=("Something is not known.",))
    diagnosis = conclude(gathered)
    assert diagnosis.evidence is gathered
    assert [cause.code for cause in diagnosis.causes] == ["unknown-author"]
    assert tuple(proposal.strategy for proposal in diagnosis.proposals) == strategy_names()
    assert diagnosis.unknowns == ("Something is not known.",)
    assert all(proposal.reason for proposal in diagnosis.proposals)
