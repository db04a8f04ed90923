r"""One record of the audit trail, its hash, and the proof that a trail is whole.

Each record carries the hash of the one before it, the first one 64 zeros. A hash is SHA-256 over the canonical JSON
array of all other fields, in this order::

    [seq, recorded_at, kind, incident, replica, channel, author, version, payload, previous_hash]

written without spaces and in ASCII (everything else as ``\uXXXX``). ``payload`` is in it as a string: the
canonical JSON text of an object, keys sorted, no spaces, characters as themselves. Any JSON library can do both again.

Where a key is configured, each record has a signature of its hash beside it: ``core/trail/audit_key.py``. It is no part
of the hash, so that records with and without one are of one chain.
"""

from __future__ import annotations

import enum
import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

GENESIS = "0" * 64
"""The ``previous_hash`` of the first record."""

_PIECE = 1 << 20  # characters

ID_DIGITS = 12
"""How many digits of its hash a record is called by."""


class RecordKind(enum.StrEnum):
    """What a record reports."""

    INTENT = "intent"  # before anything is written: the plan, every displaced row's image, the undo
    SETTINGS = "settings"  # variables about to be changed on a server, with their old values
    SETTINGS_RESTORED = "settings-restored"
    ON_SOURCE = "on-source"  # before a plan's part on the source is committed: its rows, with the keys that they got
    OUTCOME = "outcome"
    REFUSED = "refused"
    PRUNED = "pruned"  # all records up to one were taken out, after they were exported


def canonical(value: object) -> str:
    """Return JSON text that is the same for equal values. TypeError or ValueError for what JSON cannot carry unchanged."""
    try:
        _check_json(value, "payload")
        return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except RecursionError:
        raise ValueError("nested too deeply for JSON") from None


def _check_json(value: object, where: str) -> None:
    """Raise for what json.dumps would not: keys that are no strings, which it turns into strings, and half characters."""
    if isinstance(value, str):
        if not value.isascii():
            _check_text(value, where)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"{where}: a key is {type(key).__name__}, JSON has strings only")
            _check_text(key, where)
            _check_json(item, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            _check_json(item, f"{where}[{number}]")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{where}: {value!r} is no JSON number")
    elif value is not None and not isinstance(value, int):
        raise TypeError(f"{where}: {type(value).__name__} is no JSON value")


def _check_text(text: str, where: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{where}: a string with half a surrogate pair is no text") from None


@dataclass(frozen=True, slots=True)
class Head:
    """Where a trail ends: the last record's number (0: none yet) and hash."""

    seq: int
    hash: str

    @property
    def id(self) -> str:
        """What people and scripts call that record by."""
        return self.hash[:ID_DIGITS]


START = Head(0, GENESIS)


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One record as it is stored. ``kind`` is a RecordKind's value, or one that a newer replfix knows."""

    seq: int  # from 1, without gaps
    recorded_at: str  # UTC, ISO 8601 with microseconds and a Z
    kind: str
    incident: str  # the records of one resolution have the same
    replica: str
    channel: str  # '' for the default channel
    author: str  # user@host of the operator
    version: str  # of the replfix that wrote it
    payload: str  # canonical JSON text
    previous_hash: str
    hash: str
    key_id: str = ""  # of the key that signed the hash; empty: it is not signed
    signature: str = ""  # in hexadecimal

    @property
    def id(self) -> str:
        """What people and scripts call the record by."""
        return self.hash[:ID_DIGITS]

    @property
    def named(self) -> str:
        """Which one it is, for people: whoever acts on it reports that."""
        return f"record {self.id} of {self.recorded_at[:19]} UTC, by {self.author}, for {self.replica}"

    @property
    def content(self) -> dict[str, object]:
        """The payload as JSON values; ValueError when the stored text is no canonical JSON object: it was altered."""
        try:
            value = json.loads(self.payload)
        except RecursionError:
            raise ValueError("nested too deeply for JSON") from None
        if not isinstance(value, dict) or canonical(value) != self.payload:
            raise ValueError("the payload is no canonical JSON object")
        return value

    def computed_hash(self) -> str:
        """Return the hash that this record's fields give; not ``hash`` when something was changed."""
        fields: tuple[str | int, ...] = (
            self.seq,
            self.recorded_at,
            self.kind,
            self.incident,
            self.replica,
            self.channel,
            self.author,
            self.version,
            self.payload,
            self.previous_hash,
        )
        hashed = hashlib.sha256()
        for before, value in zip("[" + "," * len(fields), fields, strict=False):
            hashed.update(before.encode())
            for piece in _json_in_pieces(value):
                hashed.update(piece.encode("ascii"))
        hashed.update(b"]")
        return hashed.hexdigest()

    @property
    def sound(self) -> bool:
        """Whether its own hash fits; says nothing about its neighbours."""
        return self.computed_hash() == self.hash


def _json_in_pieces(value: str | int) -> Iterator[str]:
    """Yield the JSON text in pieces: a payload may be of 100 MB, and is never there twice."""
    if isinstance(value, int):
        yield json.dumps(value)
        return
    yield '"'
    for at in range(0, len(value), _PIECE):
        yield json.dumps(value[at : at + _PIECE])[1:-1]
    yield '"'


def chained(
    head: Head,
    *,
    recorded_at: datetime,
    kind: RecordKind,
    incident: str,
    replica: str,
    channel: str,
    author: str,
    version: str,
    payload: str,
) -> AuditRecord:
    """Return the record after ``head``. ``recorded_at`` knows its time zone (else ValueError), ``payload`` is canonical."""
    if recorded_at.tzinfo is None:
        raise ValueError("a record's time needs a time zone")
    for name, text in (("incident", incident), ("replica", replica), ("channel", channel), ("author", author)):
        _check_text(text, name)
    record = AuditRecord(
        seq=head.seq + 1,
        recorded_at=recorded_at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        kind=kind.value,
        incident=incident,
        replica=replica,
        channel=channel,
        author=author,
        version=version,
        payload=payload,
        previous_hash=head.hash,
        hash="",
    )
    return replace(record, hash=record.computed_hash())


class Breakage(enum.StrEnum):
    """What can be wrong with a trail."""

    CHANGED = "changed"
    REMOVED = "removed"
    REORDERED = "reordered"
    REPEATED = "repeated"
    ADDED = "added"
    ILLEGIBLE = "illegible"
    UNSIGNED = "unsigned"
    FORGED = "forged"
    UNKNOWN_KEY = "unknown-key"


@dataclass(frozen=True, slots=True)
class Break:
    """One thing wrong with a trail. ``seq``: where the record belongs; ``record_id``: None where no record is left."""

    kind: Breakage
    seq: int
    record_id: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Illegible:
    """In the place of a record that cannot even be read."""

    reason: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What verify_chain found. ``breaks`` is in the order of ``seq``; empty when the trail is whole."""

    records: int  # how many were there to read
    head: Head  # of what was read
    breaks: tuple[Break, ...]
    signed: int = 0  # how many have a signature
    checked: bool = False  # whether there was a key to verify signatures with

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong with the trail."""
        return not self.breaks

    @property
    def first(self) -> Break | None:
        """The break with the lowest number; None when the trail is whole."""
        return self.breaks[0] if self.breaks else None


@dataclass(frozen=True, slots=True)
class _Link:
    """What of a record is needed to judge the chain; payloads are not kept, a trail may be larger than memory."""

    seq: int
    hash: str
    previous_hash: str
    sound: bool

    @property
    def id(self) -> str:
        return self.hash[:ID_DIGITS]


class Seals(Protocol):
    """What verifies signatures: the keys that are known."""

    @property
    def keys(self) -> Sequence[object]:
        """The keys that are known; without any, no signature is checked."""
        ...

    @property
    def signed_from(self) -> int | None:
        """The number from which on records have to be signed, where that is known."""
        ...

    def knows(self, key_id: str) -> bool:
        """Return whether a key of that id is known."""
        ...

    def verifies(self, record: AuditRecord) -> bool:
        """Return whether a known key has signed the record's hash."""
        ...


class Known(Protocol):
    """Where the trail ended once, as is kept outside of it."""

    @property
    def seq(self) -> int:
        """The number of the last record then."""
        ...

    @property
    def hash(self) -> str:
        """Its hash."""
        ...

    @property
    def id(self) -> str:
        """What that record is called by."""
        ...

    @property
    def anchored_at(self) -> str:
        """When that was: UTC, ISO 8601."""
        ...

    @property
    def author(self) -> str:
        """Who kept it: user@host."""
        ...


def verify_chain(
    records: Iterable[AuditRecord | Illegible],
    head: Head | None = None,
    *,
    start: Head | None = None,
    ends_with: str | None = None,
    selection: bool = False,
    seals: Seals | None = None,
    known: Sequence[Known] = (),
) -> Verification:
    """Judge records, in the order in which they are stored.

    ``start`` is the last record that was pruned, as far as is known; one of the records has to report that. ``head`` is
    where the trail is known to end: records cut off at its end leave no other trace. Who knows only the beginning of
    the last hash gives ``ends_with``. ``selection`` says that records between the given ones are missing on purpose, so
    that only what is there is judged. ``seals`` verifies signatures: once a record is signed, all that follow have to
    be. ``known``: where the trail ended before, as is kept outside of it.
    """
    signatures = _Signatures(seals)
    links: list[_Link | Illegible] = []
    suspects: dict[int, AuditRecord] = {}  # by position
    pruned = START
    for record in records:
        if isinstance(record, Illegible):
            links.append(record)
            continue
        sound = record.sound
        signatures.look_at(record, sound)
        if not sound:
            suspects[len(links)] = record
        elif record.kind == RecordKind.PRUNED.value:
            pruned = pruned_through(record)
        links.append(_Link(record.seq, record.hash, record.previous_hash, sound))

    if start is None:
        older = any(isinstance(link, _Link) and link.seq <= pruned.seq for link in links)
        start = START if older else pruned
    breaks = signatures.breaks
    places = _places(links, suspects, breaks, start)
    breaks += _order_breaks(links)
    breaks += _link_breaks(links, places, start)
    last = max(places, default=start.seq)
    if not selection:
        breaks += _gaps(sorted(set(places)), start)
        if start not in (START, pruned):
            message = f"records 1 to {start.seq} are missing, and no record tells that they were pruned"
            breaks.append(Break(Breakage.REMOVED, 1, None, message))
        if head is not None:
            breaks += _head_breaks(links, places, head, last)
        breaks += _known_breaks(links, places, known, start, last)
    at_end = next((x for x, place in zip(links, places, strict=True) if place == last and isinstance(x, _Link)), None)
    if ends_with is not None and (at_end is None or not at_end.hash.startswith(ends_with.lower())):
        message = (
            f"the last record is not {ends_with.lower()}: records behind record {last} are missing or were changed"
        )
        breaks.append(Break(Breakage.REMOVED, last + 1, None, message))
    return Verification(
        records=len(links),
        head=Head(last, at_end.hash) if at_end else Head(last, start.hash if last == start.seq else ""),
        breaks=tuple(sorted(breaks, key=lambda b: b.seq)),
        signed=signatures.signed,
        checked=signatures.checked,
    )


class _Signatures:
    """The signatures of records, in the order in which they are stored.

    What an altered record says of itself is not judged again.
    """

    def __init__(self, seals: Seals | None) -> None:
        self._seals = seals
        self._unknown: set[str] = set()
        self.breaks: list[Break] = []
        self.signed = 0

    @property
    def checked(self) -> bool:
        return self._seals is not None and bool(self._seals.keys)

    def look_at(self, record: AuditRecord, sound: bool) -> None:
        if record.signature:
            self.signed += 1
        if not sound:
            return
        found = self._wrong_with(record)
        if found is not None:
            self.breaks.append(Break(found[0], record.seq, record.id, f"record {record.seq} ({record.id}) {found[1]}"))

    def _wrong_with(self, record: AuditRecord) -> tuple[Breakage, str] | None:
        if not record.signature:
            since = self._seals.signed_from if self._seals is not None else None
            if self.signed or (since is not None and record.seq >= since):
                return Breakage.UNSIGNED, "is not signed, and records from there on are"
            return None
        if self._seals is None or not self._seals.keys or self._seals.verifies(record):
            return None
        if self._seals.knows(record.key_id):
            return Breakage.FORGED, f"was written by somebody else: its signature is not that of key {record.key_id}"
        if record.key_id in self._unknown:
            return None
        self._unknown.add(record.key_id)
        return Breakage.UNKNOWN_KEY, f"is signed by key {record.key_id[:64]}, which is none of those configured"


def pruned_through(record: AuditRecord) -> Head:
    """Return what a ``pruned`` record says was the last one that went.

    START when it says nothing that can be read.
    """
    try:
        through = record.content["through"]
    except (ValueError, KeyError):
        return START
    if (
        isinstance(through, dict)
        and isinstance(seq := through.get("seq"), int)
        and isinstance(through.get("hash"), str)
    ):
        return Head(seq, str(through["hash"]))
    return START


def _places(
    links: list[_Link | Illegible], suspects: dict[int, AuditRecord], breaks: list[Break], first: Head
) -> list[int]:
    """Return each position's number in the trail, and add a break for each record that was altered.

    A sound record's number is its own. A suspect's own number may be what was altered: the hash that it was chained to
    shows its true place, and when its content fits that place then it was only moved.
    """
    by_previous = {link.previous_hash: at for at, link in enumerate(links) if isinstance(link, _Link)}
    true_seq: dict[int, int] = {}
    starts = [(link.hash, link.seq) for link in links if isinstance(link, _Link) and link.sound]
    for hash_, seq in [(first.hash, first.seq), *starts]:
        at = by_previous.get(hash_)
        while at is not None and at in suspects and at not in true_seq:
            seq += 1
            true_seq[at] = seq
            at = by_previous.get(suspects[at].hash)

    places: list[int] = []
    for at, link in enumerate(links):
        if isinstance(link, Illegible):
            place = places[-1] + 1 if places else first.seq + 1
            breaks.append(Break(Breakage.ILLEGIBLE, place, None, f"record {place} cannot be read: {link.reason}"))
        elif link.sound:
            place = link.seq
        else:
            place = true_seq.get(at, link.seq)
            moved = place != link.seq and replace(suspects[at], seq=place).sound
            if moved:
                message = f"record {place} ({link.id}) was moved: it is now record {link.seq}"
            else:
                message = f"record {place} ({link.id}) was changed: its hash does not fit what it says"
            breaks.append(Break(Breakage.REORDERED if moved else Breakage.CHANGED, place, link.id, message))
        places.append(place)
    return places


def _order_breaks(links: list[_Link | Illegible]) -> list[Break]:
    """Return breaks for sound records that are in the wrong place or there twice.

    A suspect's place was judged with the suspect.
    """
    breaks: list[Break] = []
    seen: set[int] = set()
    highest = 0
    for link in links:
        if isinstance(link, Illegible) or not link.sound:
            continue
        if link.seq in seen:
            message = f"record {link.seq} ({link.id}) is there more than once"
            breaks.append(Break(Breakage.REPEATED, link.seq, link.id, message))
        elif link.seq < highest:
            message = f"record {link.seq} ({link.id}) was moved: it now comes after record {highest}"
            breaks.append(Break(Breakage.REORDERED, link.seq, link.id, message))
        seen.add(link.seq)
        highest = max(highest, link.seq)
    return breaks


def _link_breaks(links: list[_Link | Illegible], places: list[int], first: Head) -> list[Break]:
    """Return breaks for records that were written anew with a hash that fits: the next one still has the old hash."""
    breaks: list[Break] = []
    at_place = {place: link for link, place in zip(links, places, strict=True) if isinstance(link, _Link)}
    for place, link in at_place.items():
        if not link.sound:
            continue
        if place == first.seq + 1 and link.previous_hash != first.hash:
            message = f"record {place} ({link.id}) was changed: it does not start the chain"
            breaks.append(Break(Breakage.CHANGED, place, link.id, message))
        before = at_place.get(place - 1)
        if before is not None and before.sound and before.hash != link.previous_hash:
            message = f"record {place - 1} ({before.id}) was changed: record {place} is chained to another one"
            breaks.append(Break(Breakage.CHANGED, place - 1, before.id, message))
    return breaks


def _missing(first: int, last: int) -> Break:
    which = f"record {first} is missing" if first == last else f"records {first} to {last} are missing"
    return Break(Breakage.REMOVED, first, None, which)


def _gaps(places: list[int], first: Head) -> list[Break]:
    breaks: list[Break] = []
    expected = first.seq + 1
    for place in places:
        if place > expected:
            breaks.append(_missing(expected, place - 1))
        expected = max(expected, place + 1)
    return breaks


def _known_breaks(
    links: list[_Link | Illegible], places: list[int], known: Sequence[Known], start: Head, last: int
) -> list[Break]:
    """Return breaks for records that are not what was kept outside of the trail.

    What was pruned since is not there to be compared.
    """
    breaks: dict[int, Break] = {}
    at_place = {place: link for link, place in zip(links, places, strict=True) if isinstance(link, _Link)}
    for each in sorted(known, key=lambda k: k.seq):
        now = start.hash if each.seq == start.seq else getattr(at_place.get(each.seq), "hash", None)
        when = f"on {each.anchored_at[:19]} UTC the trail ended with record {each.seq} ({each.id})"
        if each.seq > last:
            message = f"records behind {last} were cut off: {when}, says an anchor by {each.author}"
            breaks.setdefault(last + 1, Break(Breakage.REMOVED, last + 1, None, message))
        elif each.seq >= start.seq and now != each.hash:
            message = f"record {each.seq} was written anew: {when}, says an anchor by {each.author}"
            breaks.setdefault(
                each.seq, Break(Breakage.CHANGED, each.seq, None if now is None else now[:ID_DIGITS], message)
            )
    return list(breaks.values())


def _head_breaks(links: list[_Link | Illegible], places: list[int], head: Head, last: int) -> list[Break]:
    if head.seq > last:
        return [_missing(last + 1, head.seq)]
    breaks: list[Break] = []
    for link, place in zip(links, places, strict=True):
        if not isinstance(link, _Link):
            continue
        if place > head.seq:
            message = f"record {place} ({link.id}) was added: the trail is known to end with record {head.seq}"
            breaks.append(Break(Breakage.ADDED, place, link.id, message))
        elif place == head.seq and link.sound and link.hash != head.hash:
            message = f"record {place} ({link.id}) was changed: the trail is known to end with {head.hash[:ID_DIGITS]}"
            breaks.append(Break(Breakage.CHANGED, place, link.id, message))
    return breaks
