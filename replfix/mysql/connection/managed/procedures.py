"""What a cloud gives in place of START REPLICA, as far as the account may call it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from replfix.core import sql
from replfix.core.replication.transaction_id import TransactionId
from replfix.errors import Refused

SIGNALLED = 1644  # ER_SIGNAL_EXCEPTION: what a procedure says by itself


@dataclass(frozen=True, slots=True)
class Procedures:
    """Names in schema ``mysql``; empty where there is none. They start both threads of a channel, never one alone.

    ``until_gtid`` takes a GTID, ``until`` a file and a position; those for a channel take its name last.
    """

    cloud: str
    start: str
    stop: str
    until_gtid: str = ""
    until: str = ""
    for_channel: str = ""  # what the names of those that take a channel end with
    serial_until: bool = False  # an end is refused where several workers apply
    channels: bool = True

    def offered(self, known: frozenset[str]) -> Procedures:
        """Without what is not there; ``known`` in lower case."""

        def there(name: str) -> str:
            return name if name and name.lower() in known else ""

        return replace(
            self,
            stop=there(self.stop),
            until_gtid=there(self.until_gtid),
            until=there(self.until),
            channels=bool(self.for_channel) and there(self.start + self.for_channel) != "",
        )

    def has_end(self, until: TransactionId, workers: int) -> bool:
        """Return whether a procedure can stop the applier after that transaction."""
        if self.serial_until and workers > 1:
            return False
        return bool(self.until_gtid if until.gtid is not None else self.until)

    def calls(self, channel: str, until: TransactionId | None) -> tuple[str, ...]:
        """Return the statements that start a stopped channel. Refused for a channel that the procedures do not know."""
        if channel and not self.channels:
            raise Refused(
                f"{self.cloud} has no procedure that starts the named channel {channel!r} for this account.",
                f"Nothing was changed. GRANT EXECUTE ON PROCEDURE mysql.{self.start}{self.for_channel} where that exists.",
            )
        names, place = (self.for_channel, (channel,)) if channel else ("", ())
        stop = [sql.call(self.stop + names, *place)] if self.stop else []
        if until is None:
            return (*stop, sql.call(self.start + names, *place))
        if until.gtid is not None:
            return (*stop, sql.call(self.until_gtid + names, until.gtid, *place))
        return (*stop, sql.call(self.until + names, until.log_file, until.end_pos, *place))

    def in_words(self, workers: int) -> str:
        """Say for people which procedure is called, and whether it can stop after one transaction."""
        ends = [name for name in (self.until_gtid, self.until) if name]
        if not ends:
            end = "None of them ends after one transaction: a repair is verified while the channel runs."
        elif self.serial_until and workers > 1:
            end = f"{ends[0]} is refused there with {workers} workers: a repair is verified while the channel runs."
        else:
            end = f"{' and '.join(ends)} let it stop after one transaction."
        return f"START REPLICA is not granted; {self.cloud}'s procedure mysql.{self.start} is called instead. {end}"
