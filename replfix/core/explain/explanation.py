"""What is known about one duplicate-key error, and what follows from it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from replfix.core.columns.key_probe import Match
from replfix.core.diagnosis.cause import Cause
from replfix.core.explain.duplicate import Duplicate
from replfix.core.explain.insert import Insert
from replfix.core.remedies.remedy import Fix
from replfix.core.replication.subscription import Subscription
from replfix.core.rows.postgresql_row import PostgresqlRow
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.auto_increment import AutoIncrement, Counter
from replfix.core.schema.postgresql_key import UniqueIndex
from replfix.core.schema.postgresql_sequence import ColumnSequence
from replfix.core.schema.table import Table, UniqueKey


class Answer(enum.StrEnum):
    """What the server says to one reading of the value."""

    FOUND = "found"  # a row has these values
    NO_ROW = "no_row"
    IMPOSSIBLE = "impossible"  # a piece is no value of its column's type
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read the value, and what the server has for it."""

    values: tuple[str, ...]  # one for each part of the key, as printed
    answer: Answer
    rows: tuple[RowImage, ...] = ()
    matches: tuple[Match, ...] = ()  # what was asked


@dataclass(frozen=True, slots=True)
class KeyLocation:
    """A unique key of the server that the message can mean."""

    table: Table
    key: UniqueKey
    readings: tuple[Reading, ...]
    counter: Counter | None  # where the key is the AUTO_INCREMENT column

    @property
    def rows(self) -> tuple[RowImage, ...]:
        """The rows that were found."""
        return tuple(row for reading in self.readings for row in reading.rows)

    @property
    def found(self) -> Reading | None:
        """The first reading that a row answers."""
        return next((reading for reading in self.readings if reading.rows), None)


@dataclass(frozen=True, slots=True)
class Asked:
    """The server that was asked, and what it knows."""

    address: str
    version: str
    places: tuple[KeyLocation, ...]
    auto_increment: AutoIncrement
    replicates: bool  # it has a replication channel of its own
    read_only: bool


@dataclass(frozen=True, slots=True)
class PostgresqlReading:
    """One way to read the value, and the rows that a PostgreSQL server has for it."""

    values: tuple[str, ...]  # one for each part of the key, as printed
    answer: Answer
    rows: tuple[PostgresqlRow, ...] = ()
    query: str = ""  # what was asked, for people to run again


@dataclass(frozen=True, slots=True)
class PostgresqlLocation:
    """A unique index or exclusion constraint of a PostgreSQL server that the message can mean."""

    key: UniqueIndex
    readings: tuple[PostgresqlReading, ...]
    sequence: ColumnSequence | None  # of the key's first column that has one
    subscriptions: tuple[Subscription, ...] | None  # of the database; None: the account may not see them

    @property
    def found(self) -> PostgresqlReading | None:
        """The first reading that a row answers."""
        return next((reading for reading in self.readings if reading.rows), None)


@dataclass(frozen=True, slots=True)
class AskedPostgresql:
    """The PostgreSQL server that was asked, and what it knows."""

    address: str
    version: str
    places: tuple[PostgresqlLocation, ...]
    standby: bool
    read_only: bool

    @property
    def replicates(self) -> bool:
        """Whether it is a standby, or applies a subscription."""
        return self.standby or any(place.subscriptions for place in self.places)


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that reasons are concluded from. At most one of ``asked`` and ``postgresql`` is given."""

    duplicate: Duplicate
    insert: Insert | None  # the statement, as far as the text has it
    asked: Asked | None  # a MySQL or MariaDB server
    unknowns: tuple[str, ...] = ()
    postgresql: AskedPostgresql | None = None

    @property
    def place(self) -> KeyLocation | None:
        """The key that is meant: the only one, or the only one where a row was found."""
        if self.asked is None:
            return None
        places = self.asked.places
        found = tuple(place for place in places if place.rows)
        return places[0] if len(places) == 1 else found[0] if len(found) == 1 else None

    @property
    def postgresql_place(self) -> PostgresqlLocation | None:
        """The key that is meant on a PostgreSQL server: the only one, or the only one where a row was found."""
        if self.postgresql is None:
            return None
        places = self.postgresql.places
        found = tuple(place for place in places if place.found is not None)
        return places[0] if len(places) == 1 else found[0] if len(found) == 1 else None

    @property
    def was_asked(self) -> bool:
        """Whether a server was asked about it."""
        return self.asked is not None or self.postgresql is not None


@dataclass(frozen=True, slots=True)
class Possibility:
    """A reason that nothing in the text speaks for or against; ``tell``: what to look at to tell it from the others."""

    code: str  # of a reason
    summary: str
    tell: Fix


@dataclass(frozen=True, slots=True)
class Guidance:
    """What helps whatever the reason is: what the error means, where to look, what it can be, how to handle it."""

    meaning: str
    look: tuple[Fix, ...] = ()
    possible: tuple[Possibility, ...] = ()
    handling: tuple[Fix, ...] = ()
    framework: str | None = None  # whose words ``handling`` is in; None: SQL's


@dataclass(frozen=True, slots=True)
class Explanation:
    """An error and its causes: ``reasons`` in the document, the likeliest first."""

    case: Case
    reasons: tuple[Cause, ...]
    guidance: Guidance | None = None
