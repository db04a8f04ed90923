"""What became of one seed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Verdict:
    """What became of one seed. ``wrong`` is empty when everything is as promised."""

    server: str
    seed: int
    strategy: str = ""
    wrong: list[str] = field(default_factory=list)
    refused: str = ""  # the name of the reason why a human was asked for
    human: str = ""  # the error that was left to a human, in worlds where errors of every kind are met
    remedies: int = 0  # that were followed then
    end: str = ""  # how it stood behind them
    gave_way: bool = False  # the strategy drawn was refused somewhere; source-wins did the rest
    said: str = ""  # replfix's words for it
    rounds: int = 0
    apart: int = 0
    displaced: int = 0
    left_out: int = 0
    conflicts: Counter[str] = field(default_factory=Counter)
    foretold: int = 0  # errors that stopped the applier as the forecast has them
    unforetold: int = 0  # that the forecast says not to know
    varied: tuple[str, ...] = ()
    story: list[str] = field(default_factory=list)  # every statement that did something, in order
