"""What a scenario is: how replication is broken, and what replfix must find out about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from replfix.lab.topology import Lab


@dataclass(frozen=True, slots=True)
class ExpectedConflict:
    """One conflict of the failing transaction: a row of it and a row of the replica (or the lack of one)."""

    kind: str  # duplicate | missing | different
    table: str  # schema.table
    key: str  # the index by which they meet: "PRIMARY", or a unique key's name


@dataclass(frozen=True, slots=True)
class Expects:
    """What a diagnosis of the staged replica must say, and what its repair displaces."""

    errno: int
    event: str  # Write_rows | Update_rows | Delete_rows
    schema: str
    table: str
    key: str | None  # as the server names it, "orders.PRIMARY"; None for 1032, which names no key
    conflicts: tuple[ExpectedConflict, ...]  # of the first failing transaction, in the order of its rows
    cause: str  # the code of the most likely cause of the first failing transaction
    displaced_rows: int  # rows of the replica that source-wins takes out or changes, over all rounds
    rounds: int = 1  # failing transactions, one after the other
    behind: int = 0  # transactions after them that apply by themselves then


@dataclass(frozen=True, slots=True)
class Scenario:
    """An incident to stage on a lab whose channels run.

    After ``stage`` the first replica's applier is stopped with the error, its read_only (super_read_only where there is
    one) is ON, and everything that the source has is in its relay log.
    """

    name: str
    title: str
    story: str  # a few sentences that somebody on call would recognise
    stage: Callable[[Lab], None]
    expects: Expects
