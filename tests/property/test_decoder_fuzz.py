"""Damage of every kind, in numbers: bytes flipped, put in, taken out, repeated and cut, in every event of a transaction,
inside compressed payloads and inside JSON. Each ends in rows of the right shape or in Unreadable: never in another
exception, a loop, or memory without bound.

Sizes and checksums are made right again, so that the damage reaches the decoders. ``REPLFIX_FUZZ`` says how many inputs
(3,000 in an ordinary run), ``REPLFIX_FUZZ_SEED`` begins elsewhere.
"""

from __future__ import annotations

import os
import random
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from replfix.core.binlog.row_event import Transaction
from replfix.core.rows import json_text
from replfix.core.rows.json_text import Document
from replfix.core.schema.table import TableName
from replfix.errors import Unreadable
from replfix.mysql.binlog.assemble import Schema, transactions
from replfix.mysql.binlog.events.checked_events import HEADER, EventType, events
from replfix.mysql.binlog.events.layout import Layout
from replfix.mysql.binlog.events.openings import OPENINGS
from replfix.mysql.binlog.events.rows_events import RowDecoder, RowsHead
from replfix.mysql.binlog.values import decoders, json_binary
from replfix.mysql.binlog.values.images import Form
from replfix.mysql.read.charsets import decoder
from tests.places import GOLDEN
from tests.property.test_decoder_damage import COLUMNS, charset_of, moved, resealed, split

INPUTS = int(os.environ.get("REPLFIX_FUZZ", "3000"))
SEED = int(os.environ.get("REPLFIX_FUZZ_SEED", "97"))
SECONDS = 2.0  # for one input, on a busy machine
MEGABYTES = 200  # that the process may grow by


@dataclass(frozen=True, slots=True)
class Part:
    """One transaction of a log: the Format_description event, and its own events."""

    log: str
    format: bytes
    events: tuple[bytes, ...]


def parts() -> Iterator[Part]:
    for path in sorted(GOLDEN.glob("*.000001")):
        raws = split(path.read_bytes())
        starts = [index for index, raw in enumerate(raws) if raw[4] in OPENINGS]
        for start, end in zip(starts, [*starts[1:], len(raws)], strict=True):
            yield Part(path.name, raws[0], tuple(raws[start:end]))


def charsets(collation: int) -> str:
    """Every collation is one of a few character sets, so that a flipped number reaches a decoder too."""
    try:
        return charset_of(collation)
    except Unreadable:
        return ("latin1", "utf16", "eucjpms", "binary", "gb18030", "big5")[collation % 6]


def read(raws: list[bytes]) -> list[Transaction]:
    schema = Schema(lambda _: COLUMNS, charsets)
    return list(transactions(events(raws), _everything, schema))


def _everything(*_: object) -> bool:
    return True


# --- damage ---


def damaged(rng: random.Random, data: bytes, start: int) -> bytes:
    """``data`` with one to four kinds of damage behind ``start``."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if len(out) <= start:
            break
        at = rng.randrange(start, len(out))
        match rng.randrange(7):
            case 0:
                out[at] ^= 1 << rng.randrange(8)
            case 1:
                out[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFB, 0xFC, 0xFD, 0xFE, 0xFF))
            case 2:
                del out[at : at + rng.choice((1, 2, 4, 8))]
            case 3:
                out[at:at] = rng.randbytes(rng.choice((1, 2, 4, 9)))
            case 4:
                del out[at:]
            case 5:
                out[at:at] = out[at : at + rng.randrange(1, 40)]
            case _:
                out[at : at + 4] = rng.randbytes(4)
    return bytes(out)


def sealed(body: bytes) -> bytes:
    """A body of at least a header, with size and checksum."""
    return resealed(body.ljust(HEADER.size, b"\0"))


def chained(raws: list[bytes]) -> list[bytes]:
    """The events one behind the other again; those of MariaDB inside a transaction say no end."""
    end = HEADER.unpack_from(raws[0])[4] - len(raws[0])
    out = []
    for raw in raws:
        end += len(raw)
        out.append(moved(raw, end & 0xFFFFFFFF) if HEADER.unpack_from(raw)[4] else raw)
    return out


def damaged_transaction(rng: random.Random, part: Part) -> list[bytes]:
    raws = list(part.events)
    index = rng.randrange(len(raws))
    raws[index] = sealed(damaged(rng, raws[index][:-4], HEADER.size if rng.random() < 0.95 else 4))
    return [part.format, *chained(raws)]


def packed(part: Part, inside: list[bytes]) -> list[bytes]:
    """A transaction whose events are in a Transaction_payload event, stored without compression: damage arrives."""
    payload = b"".join(inside)
    fields = b"\x02\x03\xfc\xff\x00" + b"\x03\x03\xfc" + len(payload).to_bytes(2, "little") + b"\x00"
    header = part.events[1][:4] + bytes([EventType.TRANSACTION_PAYLOAD]) + part.events[1][5 : HEADER.size]
    return [part.format, *chained([part.events[0], sealed(header + fields + payload)])]


def damaged_payload(rng: random.Random, part: Part) -> list[bytes]:
    inside = [_inner(raw) for raw in part.events[1:]]
    index = rng.randrange(len(inside))
    broken = damaged(rng, inside[index], HEADER.size)
    inside[index] = _sized(broken) if rng.random() < 0.8 else broken
    return packed(part, inside)


def _inner(raw: bytes) -> bytes:
    return _sized(raw[:-4])


def _sized(event: bytes) -> bytes:
    return event[:9] + len(event).to_bytes(4, "little") + event[13:]


# --- what has to come of it ---


def outcome(raws: list[bytes]) -> str:
    try:
        found = read(raws)
    except Unreadable:
        return "refused"
    for transaction in found:
        for change in transaction.changes:
            width = len(transaction.column_names[change.table])
            assert all(image is None or len(image) == width for image in (change.before, change.after))
            assert change.before is not None or change.after is not None
    return "read" if found else "passed over"


def fuzz(inputs: int, make: Callable[[random.Random], Callable[[], str]], seed: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(inputs):
        rng = random.Random(f"{SEED} {seed} {number}")
        run = make(rng)
        start = time.process_time()
        try:
            counts[run()] += 1
        except BaseException as error:
            raise AssertionError(f"input {number} of {seed!r} with REPLFIX_FUZZ_SEED={SEED}: {error!r}") from error
        assert time.process_time() - start < SECONDS, f"input {number} of {seed!r}"
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < MEGABYTES, f"{grown:.0f} MB"
    return counts


def of_rows(part: Part) -> bool:
    """Whether a transaction's events can be put into a payload: BEGIN, then rows."""
    kinds = {raw[4] for raw in part.events}
    return {EventType.GTID, EventType.TABLE_MAP, EventType.XID} <= kinds and sum(map(len, part.events)) < 60_000


PARTS = list(parts())
PACKABLE = [part for part in PARTS if of_rows(part)]


def test_every_part_is_read_before_it_is_damaged() -> None:
    outcomes = Counter(outcome([part.format, *part.events]) for part in PARTS)
    assert outcomes["read"] >= 17
    assert len(PACKABLE) >= 6
    for part in PACKABLE:
        whole = packed(part, [_inner(raw) for raw in part.events[1:]])
        assert outcome(whole) == outcome([part.format, *part.events])


def test_damaged_events() -> None:
    def make(rng: random.Random) -> Callable[[], str]:
        raws = damaged_transaction(rng, rng.choice(PARTS))
        return lambda: outcome(raws)

    counts = fuzz(INPUTS // 2, make, "events")
    assert counts["refused"] > INPUTS // 10
    assert counts["read"] > INPUTS // 20, "damage that leaves a log readable, such as another number in a row"


def test_damaged_events_inside_payloads() -> None:
    def make(rng: random.Random) -> Callable[[], str]:
        raws = damaged_payload(rng, rng.choice(PACKABLE))
        return lambda: outcome(raws)

    counts = fuzz(INPUTS // 4, make, "payloads")
    assert counts["refused"] > INPUTS // 20
    assert counts["read"] > INPUTS // 100


def documents() -> list[bytes]:
    """The JSON documents of the logs in their binary form, as they stand in the rows."""
    found: list[bytes] = []
    parse = json_binary.parse

    def noted(raw: bytes) -> Document:
        found.append(raw)
        return parse(raw)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_binary, "parse", noted)
        for part in PARTS:
            outcome([part.format, *part.events])
    return found


def test_damaged_json() -> None:
    seeds = [document for document in documents() if document]
    assert len(seeds) >= 5

    def make(rng: random.Random) -> Callable[[], str]:
        data = damaged(rng, rng.choice(seeds), 0)

        def run() -> str:
            try:
                json_text.dump(json_binary.parse(data))
            except Unreadable:
                return "refused"
            except ValueError as error:  # a double that is no number: the decoder of rows makes it Unreadable
                if "not JSON compliant" in str(error):
                    return "refused"
                raise
            return "read"

        return run

    counts = fuzz(INPUTS - INPUTS // 2 - INPUTS // 4, make, "json")
    assert counts["refused"] > INPUTS // 20
    assert counts["read"] > INPUTS // 100


FORMS: tuple[Form, ...] = (
    decoders.integer(3, True), decoders.integer(9, False), decoders.FLOAT, decoders.DOUBLE, decoders.YEAR, decoders.DATE,
    decoders.decimal(65 << 8 | 30), decoders.decimal(5 << 8), decoders.bit(1 << 8 | 3), decoders.json(4),
    decoders.enum(1, ("a", "b")), decoders.set_(2, tuple("abcdefghi")), decoders.binary(300), decoders.blob(3),
    *(decoders.varchar(20, decoder(name)) for name in ("utf8mb4", "utf16", "ucs2", "eucjpms", "gb18030", "koi8r")),
    *(make(digits) for make in (decoders.time_of_day, decoders.datetime, decoders.timestamp) for digits in (0, 1, 6)),
    *(make(digits) for make in (decoders.old_time, decoders.old_datetime, decoders.old_timestamp) for digits in (0, 1, 6)),
    decoders.blob(4, decoders.decompressed(None)), decoders.varchar(300, decoders.decompressed(decoder("latin1"))),
)  # fmt: skip


def test_any_bytes_as_rows_of_every_form() -> None:
    """Also those that no log here holds: MariaDB's compressed columns and older temporal formats."""
    part = next(part for part in PARTS if any(raw[4] == EventType.WRITE_ROWS for raw in part.events))
    event = next(e for e in events([part.format, *part.events]) if e.type == EventType.WRITE_ROWS)

    def make(rng: random.Random) -> Callable[[], str]:
        forms = tuple(rng.sample(FORMS, rng.randint(1, 12)))
        wanted = None if rng.random() < 0.7 else frozenset(rng.sample(range(12), 3))
        named = tuple(f"c{number}" for number in range(len(forms)))
        found = RowDecoder(Layout(TableName("shop", "any"), named, forms, (), ()), wanted)
        # Few NULLs and small lengths, or hardly a row would be read to its end.
        data = bytes(rng.choice((0, 0, 0, 1, 2, rng.randrange(256))) for _ in range(rng.randrange(1, 120)))
        present = rng.getrandbits(len(forms)) or 1
        head = RowsHead(1, True, True, len(forms), (present,), data)

        def run() -> str:
            try:
                rows = found.images(event, head)
            except Unreadable:
                return "refused"
            assert rows
            assert all(len(row) == len(forms) for row in rows)
            return "read"

        return run

    counts = fuzz(INPUTS, make, "forms")
    assert counts["refused"] > INPUTS // 5
    assert counts["read"] > INPUTS // 100
