"""Sentences about a lab of throw-away servers that several commands end with."""

from __future__ import annotations

PROOF = "The proof, looked at with plain SQL on both servers"


def stopped_with(replica: str, errno: int) -> str:
    """Return that the replica has stopped and with which error, without a full stop."""
    return f"{replica} has stopped with error {errno}"


def stays_up(look: str, lab: str) -> str:
    """Return the sentence that the servers stay up, with ``look``, how to look at them, and the command that ends the lab."""
    return f"The servers stay up: {look}; end them with: replfix lab down --name {lab}"
