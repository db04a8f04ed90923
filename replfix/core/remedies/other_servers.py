"""What a repair of one server has to do with other servers that write the same rows."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.incident.evidence import Evidence
from replfix.core.incident.origin import not_written_here
from replfix.core.plan.plan import Step
from replfix.core.remedies.beside_swaps import next_step
from replfix.core.words import shortened


def would_swap(evidence: Evidence) -> str:
    """Return why the failing transaction may not be applied here, and what to do in its place."""
    said = shortened(tuple(swap.in_words(evidence.tables) for swap in evidence.swaps), "row")
    would = " and ".join(dict.fromkeys(swap.why.value for swap in evidence.swaps))
    return f"{'; '.join(said)}: to apply the transaction here would {would}. {next_step(evidence)}"


def risks_elsewhere(evidence: Evidence, steps: tuple[Step, ...]) -> Iterator[str]:
    """Yield what else displacing a row leads to."""
    displaced = ((step.table, step.current) for step in steps if step.current is not None)
    for each in shortened(tuple(not_written_here(evidence, displaced)), "row"):
        yield (
            f"{each}. It is deleted on this replica and stays there; a later change of it there changes this source's row here, without an error."
        )
    if not evidence.circle or all(step.current is None for step in steps):
        return
    if _free_there(evidence, steps):
        yield (
            f"What is written here reaches the source {evidence.circle[0]} too, and nothing there conflicts now with the row that is deleted here: then the source has it, and this server does not. Compare both afterwards, or use replica-wins to have it on both."
        )
        return
    yield (
        f"What is written here reaches the source {evidence.circle[0]} too: it stops, or has stopped, on the transaction that wrote the row that is deleted here. Skip that transaction there: source-wins on both sides would exchange the rows."
    )
    if len(evidence.circle) > 1:
        yield (
            "A row that is deleted here can have reached other servers of the circle already, and stays there if none of them stops on the same key: compare the servers' tables once all channels run."
        )


def _free_there(evidence: Evidence, steps: tuple[Step, ...]) -> bool:
    """Return whether no unique key of any row that goes is taken on the source, as far as it could be asked."""
    side = evidence.on_source
    if side is None or side.obstacles:
        return False
    displaced = [(step.table, step.current) for step in steps if step.current is not None]
    return not any(True for name, row in displaced for _ in side.holding(side.tables[name], row))
