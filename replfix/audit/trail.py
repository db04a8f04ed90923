"""The trail in a database: append, read, verify. Nothing in it is ever changed or taken out."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, exists, func, insert, inspect, select, update
from sqlalchemy.exc import SQLAlchemyError

import replfix
from replfix.audit.author import author as operator
from replfix.audit.keys import NO_KEYS, Keys
from replfix.audit.stores.choose_store import NO_ACCOUNT, store_of
from replfix.audit.stores.store import Store
from replfix.audit.trail_tables import audit_head, audit_record, audit_signature, audit_start
from replfix.core.connection.endpoint import Account
from replfix.core.connection.tls import NO_TLS_OPTIONS, Tls
from replfix.core.trail.audit_key import signed
from replfix.core.trail.audit_record import (
    START,
    AuditRecord,
    Head,
    Illegible,
    RecordKind,
    Verification,
    canonical,
    chained,
    verify_chain,
)
from replfix.core.trail.intent_result import IntentResult
from replfix.core.trail.trail_anchor import Anchor
from replfix.errors import AuditError, UsageError

PAGE_RECORDS = 500
PAGE_BYTES = 16 * 1024 * 1024
"""Records are read in pages, each in a short transaction: a reader that lingers (a pager) must not block a writer."""

MARGIN_BYTES = 256 * 1024
"""What a run needs beside the records with rows: tables of a new trail, its journal, settings and outcome. Seen: 86 KB at the most."""


def _grown(payload: int) -> int:
    """Return how many bytes a record's payload takes in the file; seen: 0.1 % more than the payload."""
    return payload + payload // 64


_PREFIX = re.compile(r"[0-9a-f]{4,64}\Z")
_TEXTS = tuple(column.name for column in audit_record.columns if column.name != "seq")


def _now() -> datetime:
    return datetime.now(UTC)


_LEFT_OPEN = canonical({"result": IntentResult.UNKNOWN.value})[1:-1]
"""In the canonical payload of an outcome that leaves its intent open."""


class SqlTrail:
    """An append-only trail. Safe to use from several threads and processes at once: appends queue up.

    Every method raises AuditError, with a hint, when the database cannot be read or written.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime],
        author: str,
        keys: Keys = NO_KEYS,
        may_write: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._may_write = may_write
        self._clock = clock
        self._author = author
        self._keys = keys
        self.added: set[RecordKind] = set()  # by this object
        self._may_be_signed = False  # there is a table of signatures

    @classmethod
    def open(
        cls,
        url: str | None = None,
        *,
        account: Account = NO_ACCOUNT,
        tls: Tls = NO_TLS_OPTIONS,
        clock: Callable[[], datetime] = _now,
        author: str | None = None,
        keys: Keys = NO_KEYS,
        may_write: Callable[[], None] = lambda: None,
    ) -> SqlTrail:
        """Open the trail at ``url``, or in the default SQLite file. File and tables are made by the first append.

        ``account`` is for a MySQL or MariaDB URL that names none, ``tls`` for what it does not say of encryption.
        ``clock`` gives an aware datetime. ConfigError for a URL that names no store. Nothing is connected to yet, and
        no key is read. ``may_write`` is called before each record and raises where none may be added.
        """
        return cls(
            store_of(url, account, tls),
            clock=clock,
            author=operator() if author is None else author,
            keys=keys,
            may_write=may_write,
        )

    @property
    def name(self) -> str:
        """Where it is, for people."""
        return self._store.name

    @property
    def path(self) -> Path | None:
        """The file that it lives in, None in a shared database."""
        return self._store.path

    def append(
        self, kind: RecordKind, *, incident: str, replica: str, channel: str, payload: Mapping[str, object]
    ) -> AuditRecord:
        """Add a record; it is durable when this returns, and not there at all when this raises.

        TypeError or ValueError when the payload has what JSON cannot carry unchanged: NaN, bytes, keys that are no
        strings.
        """
        self._may_write()
        text = canonical(payload)
        self.check_key()
        with self._told():
            if not self._store.exists():
                self._store.make()
        self._make_tables()
        if self._keys.signing is not None:
            self._make_signatures()
        with self._transaction(writes=True) as connection:
            record = self._appended(
                connection, kind=kind, incident=incident, replica=replica, channel=channel, payload=text
            )
        self.added.add(kind)
        return record

    def _appended(self, connection: Connection, **fields: Any) -> AuditRecord:
        head = self._store.head(connection, lock=True)
        if head is None:
            raise AuditError(
                f"The audit trail {self.name} has lost its head, so nothing can be added to it.",
                "Run 'replfix audit verify': it names the records that were changed or removed.",
            )
        record = chained(head, recorded_at=self._clock(), author=self._author, version=replfix.__version__, **fields)
        key = self._keys.signing
        if key is None and head.seq and self._is_signed(connection, head.seq):
            raise AuditError(
                f"The records of the audit trail {self.name} are signed, and no key is configured here.",
                "Nothing was changed. Name the key in replfix.toml: audit.key_file or audit.key_command.",
            )
        connection.execute(insert(audit_record).values({name: getattr(record, name) for name in ("seq", *_TEXTS)}))
        if key is not None:
            record = signed(record, key)
            beside = {"seq": record.seq, "key_id": record.key_id, "signature": record.signature}
            connection.execute(insert(audit_signature).values(beside))
        connection.execute(update(audit_head).values(seq=record.seq, hash=record.hash))
        return record

    def _make_tables(self) -> None:
        with self._transaction() as connection:
            if self._store.has_schema(connection):
                return
        with self._transaction(writes=True) as connection:
            if not self._store.has_schema(connection):  # nobody was quicker
                self._store.create_schema(connection)

    def _make_signatures(self) -> None:
        with self._transaction() as connection:
            if self._has_signatures(connection):
                return
        with self._transaction(writes=True) as connection:
            self._store.create_signatures(connection)

    def _has_signatures(self, connection: Connection) -> bool:
        self._may_be_signed = self._may_be_signed or inspect(connection).has_table(audit_signature.name)
        return self._may_be_signed

    def _is_signed(self, connection: Connection, seq: int) -> bool:
        if not self._has_signatures(connection):
            return False
        return connection.execute(select(audit_signature.c.seq).where(audit_signature.c.seq == seq)).first() is not None

    def check_key(self) -> None:
        """AuditError where a record could not be signed with the key that is configured."""
        _ = self._keys.signing

    def records(
        self,
        *,
        incident: str | None = None,
        replica: str | None = None,
        since: datetime | None = None,
        through: int | None = None,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> Iterator[AuditRecord]:
        """Yield records in the order in which they were written, or the other way round.

        ``since`` includes that moment, and all after the first record of it, whatever the hosts' clocks said;
        ``through`` that record's number.
        """
        conditions: list[ColumnElement[bool]] = []
        if incident is not None:
            conditions.append(audit_record.c.incident == incident)
        if replica is not None:
            conditions.append(audit_record.c.replica == replica)
        if since is not None:
            first = select(func.min(audit_record.c.seq)).where(audit_record.c.recorded_at >= _text_of(since))
            conditions.append(audit_record.c.seq >= first.scalar_subquery())
        if through is not None:
            conditions.append(audit_record.c.seq <= through)
        if limit == 0:
            return
        page = PAGE_RECORDS if limit is None else min(limit, PAGE_RECORDS)
        for record in islice(self._pages(conditions, newest_first, page), limit):
            yield self._legible(record)

    def get(self, id_prefix: str) -> AuditRecord:
        """Return the record whose hash starts so; UsageError when there is none, or more than one."""
        prefix = id_prefix.strip().lower()
        if not _PREFIX.match(prefix):
            raise UsageError(
                f"{id_prefix[:80]!r} is no record id: at least 4 hexadecimal digits.",
                "'replfix audit list' shows the ids.",
            )
        condition = (audit_record.c.hash >= prefix) & (audit_record.c.hash < prefix + "g")  # g: after every hex digit
        found = list(islice(self._pages([condition], newest_first=False, page_records=10), 10))
        if not found:
            raise UsageError(f"No record of the audit trail {self.name} has the id {prefix}.", _LIST_HINT)
        if len(found) > 1:
            ids = ", ".join(self._legible(record).id for record in found)
            raise UsageError(f"The id {prefix} fits several records: {ids}.", "Give more digits of the one you mean.")
        return self._legible(found[0])

    def open_settings(self) -> list[AuditRecord]:
        """Return settings records without a later settings-restored of the same incident, oldest first."""
        return self._open(RecordKind.SETTINGS, RecordKind.SETTINGS_RESTORED)

    def open_intents(self) -> list[AuditRecord]:
        """Intents without a later outcome of the same incident that says what became of them, oldest first."""
        return self._open(RecordKind.INTENT, RecordKind.OUTCOME)

    def _open(self, kind: RecordKind, closing: RecordKind) -> list[AuditRecord]:
        later = audit_record.alias("later")
        closed = exists().where(
            later.c.incident == audit_record.c.incident,
            later.c.replica == audit_record.c.replica,
            later.c.kind == closing.value,
            later.c.seq > audit_record.c.seq,
            # In canonical JSON no text inside a value looks like this: its quotes are escaped.
            ~later.c.payload.contains(_LEFT_OPEN, autoescape=True),
        )
        conditions = [audit_record.c.kind == kind.value, ~closed]
        return [self._legible(record) for record in self._pages(conditions, newest_first=False)]

    def anchor(self) -> Anchor | None:
        """Return its head, to be kept outside of the trail; None for an empty trail."""
        with self._told():
            if not self._store.exists():
                return None
        with self._transaction() as connection:
            head = self._store.head(connection, lock=False) if self._store.has_schema(connection) else None
        if head is None or not head.seq:
            return None
        return Anchor(self.named_outside, head.seq, head.hash, _text_of(self._clock()), self._author)

    @property
    def named_outside(self) -> str:
        """As anchors call it: a file has a name on its host only."""
        return self.name if self.path is None else f"{socket.gethostname()}:{self.path}"

    def verify(self, known: Sequence[Anchor] = ()) -> Verification:
        """Judge the whole trail as it is now; what others append meanwhile is left out. ``known``: anchors of it."""
        seals = self._keys.ring
        with self._told():
            if not self._store.exists():
                return verify_chain((), START, seals=seals, known=known)
        with self._transaction() as connection:
            if not self._store.has_schema(connection):
                return verify_chain((), START, seals=seals, known=known)
            head = self._store.head(connection, lock=False) or START
            start = self._start(connection)
            last = connection.execute(select(func.max(audit_record.c.seq))).scalar_one()
        records = self._pages([audit_record.c.seq <= (last or 0)], newest_first=False)
        return verify_chain(records, head, start=start, seals=seals, known=known)

    def prunable(self, before: datetime) -> AuditRecord | None:
        """Return the last record of the trail's beginning that is older and whose stories have ended; None for none.

        A story is an incident's records. One that changed settings and did not put them back, or that has an intent and
        no outcome, has not ended: it and everything after it stay. None is cut in two.
        """
        unfinished = {record.incident for record in (*self.open_settings(), *self.open_intents())}
        earliest_kept = _text_of(before)
        last_of: dict[str, int] = {}
        old: list[tuple[int, str]] = []
        at_the_beginning = True
        for record in self.records():
            if record.kind != RecordKind.PRUNED.value:  # which belongs to no incident
                last_of[record.incident] = record.seq
            at_the_beginning &= record.recorded_at < earliest_kept and record.incident not in unfinished
            if at_the_beginning:
                old.append((record.seq, record.incident))
        through, reach = 0, 0
        for seq, incident in old:
            reach = max(reach, last_of.get(incident, 0))
            if reach <= seq:
                through = seq
        return next(iter(self._since(through))) if through else None

    def prune(self, through: AuditRecord, payload: Mapping[str, object]) -> AuditRecord:
        """Remove all records up to that one; return the record that notes it. AuditError when it is no longer there."""
        self._may_write()
        told = {**payload, "through": {"seq": through.seq, "hash": through.hash}}
        if self._keys.signing is not None:
            self._make_signatures()
        with self._transaction(writes=True) as connection:
            record = self._appended(
                connection, kind=RecordKind.PRUNED, incident="", replica="", channel="", payload=canonical(told)
            )
            if (
                connection.execute(select(audit_record.c.hash).where(audit_record.c.seq == through.seq)).scalar()
                != through.hash
            ):
                raise AuditError(
                    f"Record {through.id} of {self.name} is not where it was: somebody else has pruned the trail.",
                    "Nothing was changed. Run the command again.",
                )
            connection.execute(update(audit_start).values(seq=through.seq, hash=through.hash))
            connection.execute(delete(audit_record).where(audit_record.c.seq <= through.seq))
            if self._has_signatures(connection):
                connection.execute(delete(audit_signature).where(audit_signature.c.seq <= through.seq))
        self.added.add(RecordKind.PRUNED)
        return record

    def _since(self, seq: int) -> Iterator[AuditRecord]:
        return (self._legible(r) for r in self._pages([audit_record.c.seq >= seq], newest_first=False))

    def _start(self, connection: Connection) -> Head:
        row = connection.execute(select(audit_start.c.seq, audit_start.c.hash)).one_or_none()
        return Head(row.seq, row.hash) if row is not None else START

    def check_writable(self) -> None:
        """Check whether a record could be added, without adding one; AuditError when not."""
        with self._told():
            self._store.check_writable()

    def check_room(self, *payloads: Mapping[str, object]) -> None:
        """AuditError where its file system has no room for records of those, and for the small ones around them."""
        free = self._store.free_bytes()
        if free is None:
            return
        needed = MARGIN_BYTES + sum(_grown(len(canonical(payload).encode())) for payload in payloads)
        if free < needed:
            raise AuditError(
                f"The file system of the audit trail {self.name} has {free:,} bytes left, and what is to go on record needs {needed:,}.",
                "Nothing was changed. Free some space, or name a trail on another file system: audit.url.",
            )

    def close(self) -> None:
        """Close the connections."""
        self._store.engine.dispose()

    @contextmanager
    def _transaction(self, *, writes: bool = False) -> Iterator[Connection]:
        engine = self._store.engine
        with self._told(), engine.connect().execution_options(writes=writes) as connection, connection.begin():
            yield connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Raise the database's errors as the trail's."""
        try:
            yield
        except SQLAlchemyError as error:
            raise self._store.error(error) from None

    def _pages(
        self, conditions: list[ColumnElement[bool]], newest_first: bool, page_records: int = PAGE_RECORDS
    ) -> Iterator[AuditRecord | Illegible]:
        """Yield all records that fit, in order of seq."""
        with self._told():
            if not self._store.exists():
                return
        order = audit_record.c.seq.desc() if newest_first else audit_record.c.seq
        wanted = select(audit_record).where(*conditions).order_by(order).limit(page_records)
        page, last = self._page(wanted)
        while page:
            yield from page
            further = audit_record.c.seq < last if newest_first else audit_record.c.seq > last
            page, last = self._page(wanted.where(further))

    def _page(self, wanted: Select[Any]) -> tuple[list[AuditRecord | Illegible], int]:
        """Return as many records as fit into a page, and the number of the last one."""
        page: list[AuditRecord | Illegible] = []
        last = size = 0
        with self._transaction() as connection:
            if self._store.has_schema(connection):
                if self._has_signatures(connection):
                    wanted = wanted.add_columns(audit_signature.c.key_id, audit_signature.c.signature).outerjoin(
                        audit_signature, audit_signature.c.seq == audit_record.c.seq
                    )
                result = connection.execute(wanted)
                while size < PAGE_BYTES and (row := result.fetchone()) is not None:
                    page.append(_record(row))
                    last = row.seq
                    size += len(row.payload) if isinstance(row.payload, str) else 0
                result.close()
        return page, last

    def _legible(self, record: AuditRecord | Illegible) -> AuditRecord:
        if isinstance(record, Illegible):
            raise AuditError(
                f"The audit trail {self.name} has a record that cannot be read: {record.reason}.",
                "Run 'replfix audit verify': it names the record.",
            )
        return record


def _text_of(moment: datetime) -> str:
    """Return the moment as records write it, so that texts in order are moments in order."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


_LIST_HINT = "'replfix audit list' shows the ids."


def _record(row: Row[Any]) -> AuditRecord | Illegible:
    """SQLite lets any type and any bytes into any column: what is no text was not written by replfix."""
    fields = row._asdict()
    for name in _TEXTS:
        if not isinstance(fields[name], str):
            return Illegible(f"{name} is {type(fields[name]).__name__}, not text")
        try:
            fields[name].encode()
        except UnicodeEncodeError:
            return Illegible(f"{name} is not UTF-8")
    beside = [fields.pop(name, None) for name in ("key_id", "signature")]
    if all(isinstance(text, str) and text.isascii() for text in beside):
        fields["key_id"], fields["signature"] = beside
    return AuditRecord(**fields)
