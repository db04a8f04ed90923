"""What real servers said, bent at one place: a sample. ``python -m tests.lying`` is the long form."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from replfix.lab.topology import Lab
from tests.integration.accounts.certificates import Authority
from tests.lying.closely import CLOSE_PATIENCE, Outcomes, close_cases
from tests.lying.fuzz import Found, case, config_for, conversations, impatient, run_in_process, staged
from tests.lying.recording import Replayer

CASES = int(os.environ.get("REPLFIX_LIES", "40"))
FIRST = int(os.environ.get("REPLFIX_LIES_FROM", "0"))
pytestmark = pytest.mark.timeout(0 if CASES > 1000 else 300)


def test_it_ends_in_words(any_pair: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    found = Found()
    several = conversations(staged(any_pair), tmp_path)
    certified = Authority(tmp_path / "thief", "a thief").certify("server")
    with impatient():
        for seed in range(FIRST, FIRST + CASES):
            case(several[seed % len(several)], seed, tmp_path, found, certified if seed % 4 == 3 else None)
    assert not found.bad, "\n\n".join(found.bad)
    assert len(found.codes) > 1, found.told()  # else nothing was reached that could be bent

    outcomes = Outcomes()
    with impatient(CLOSE_PATIENCE):
        close_cases(several[0], range(FIRST, FIRST + 5 * CASES), outcomes)
    assert not outcomes.bad, "\n\n".join(outcomes.bad)
    assert outcomes.values, outcomes.told()
    assert outcomes.words, outcomes.told()


def test_what_is_said_again_is_what_was_said(any_pair: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a lie, every command ends as it did on the servers themselves, encrypted too."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    certified = Authority(tmp_path / "thief", "a thief").certify("server")

    for conversation in conversations(staged(any_pair), tmp_path):
        for ssl_mode, by in (("DISABLED", None), ("REQUIRED", certified)):
            with (
                Replayer(conversation.replica, certified=by) as replica,
                Replayer(conversation.source, certified=by) as source,
            ):
                config = config_for(tmp_path, replica.port, source.port, ssl_mode)
                code, said = run_in_process(conversation.command, config)
            assert code == conversation.code, said
