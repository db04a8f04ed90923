"""What many seeds came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from tests.convergence.verdict import Verdict


def counts_of(verdict: Verdict) -> dict[str, int]:
    """Plain numbers: a test's report carries them from process to process."""
    counts = {"seeds": 1, "wrong": int(bool(verdict.wrong)), "rounds": verdict.rounds}
    counts |= {"rows displaced": verdict.displaced, "diverged rows that nobody touched": verdict.apart}
    counts |= {f"conflicts {kind}": count for kind, count in verdict.conflicts.items()}
    if verdict.strategy != "source-wins":
        counts |= {f"{verdict.strategy}{', in part' if verdict.gave_way else ''}": 1}
    if verdict.foretold or verdict.unforetold:
        counts |= {"stops foretold": verdict.foretold, "stops named as not looked at": verdict.unforetold}
    if verdict.left_out:
        counts |= {"transactions left out": verdict.left_out}
    counts |= dict.fromkeys(verdict.varied, 1)
    if verdict.refused:
        counts |= {"refused": 1, f"refused ({verdict.refused})": 1}
    if verdict.human:
        counts |= {f"left to a human ({verdict.human})": 1, "remedies followed": verdict.remedies}
        counts |= {f"{verdict.end} behind remedies": 1}
    return counts


class Account:
    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add_all(self, counts: Iterable[Mapping[str, int]]) -> None:
        for each in counts:
            self._counts.update(each)

    @property
    def seeds(self) -> int:
        return self._counts["seeds"]

    @property
    def wrong(self) -> int:
        return self._counts["wrong"]

    @property
    def share_refused(self) -> float:
        return self._counts["refused"] / max(self.seeds, 1)

    def in_short(self) -> str:
        parts = (f"{name} {count}" for name, count in sorted(self._counts.items()) if name not in ("seeds", "refused"))
        return f"{self.seeds} seeds, {self.share_refused:.0%} refused: {', '.join(parts)}"
