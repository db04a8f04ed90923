"""Messages that travel through the app. They contain frozen types only."""

from __future__ import annotations

from textual.message import Message

from replfix.tui.watch import Seen


class Polled(Message):
    """Replicas that were polled since the last message of this kind; several polls of one replica are one entry."""

    def __init__(self, seen: tuple[Seen, ...]) -> None:
        super().__init__()
        self.seen = seen
