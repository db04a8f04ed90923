"""An export of a trail as repairs leave it, tampered with in every way: ``audit verify`` finds it and says which record."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from replfix.audit import SqlTrail
from replfix.audit.jsonl import from_line, read, to_line
from replfix.cli.app import run
from replfix.core.trail.audit_record import AuditRecord, Illegible, RecordKind, Verification, verify_chain

Lines = list[bytes]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Lines:
    """Two repairs and what was refused between them: twelve records, some 9 KB."""
    path = tmp_path_factory.mktemp("trail") / "audit.db"
    with closing(SqlTrail.open(f"sqlite:///{path}", author="dba@ops1")) as trail:
        for incident in ("7d1c0a42e1f0", "90ab12cd34ef"):
            steps = [
                {"kind": "delete", "table": "orders", "sql": f"DELETE FROM `shop`.`orders` WHERE `id` = {n}",
                 "current": {"id": n, "note": "entered by hand – Björn 🎉\0", "blob": {"base64": "AAE="}, "amount": "10.00"},
                 "target": None, "columns": ["id", "note", "blob", "amount"]}
                for n in range(3)
            ]  # fmt: skip
            settings = {"server_uuid": "3e11fa47-71ca-11e1-9e33-c80aa9429562", "variables": {"super_read_only": "1"}}
            for kind, payload in (
                (RecordKind.REFUSED, {"reason": "A row of shop.orders changed."}),
                (RecordKind.SETTINGS, settings),
                (RecordKind.INTENT, {"plan": {"strategy": "source-wins", "steps": steps}, "undo": ["INSERT …"]}),
                (RecordKind.SETTINGS_RESTORED, settings),
                (RecordKind.OUTCOME, {"result": "applied and verified", "detail": ""}),
                (RecordKind.REFUSED, {"reason": "The channel runs now.", "numbers": [1, 1.5, -0.0, True, None]}),
            ):
                trail.append(kind, incident=incident, replica="db2", channel="", payload=payload)
        return [to_line(record) for record in trail.records()]


def verified(lines: Sequence[bytes], head: str | None = None) -> Verification:
    return verify_chain([from_line(line) for line in lines], ends_with=head)


def record(line: bytes) -> AuditRecord:
    found = from_line(line)
    assert isinstance(found, AuditRecord)
    return found


def test_every_byte_flipped_in_turn(exported: Lines) -> None:
    """One bit of each, another one from byte to byte; every bit of every byte of a smaller one: test_audit_chain."""
    records: list[AuditRecord | Illegible] = [from_line(line) for line in exported]
    assert verify_chain(records).whole
    for number, line in enumerate(exported):
        for at in range(len(line)):
            flipped = bytearray(line)
            flipped[at] ^= 1 << (at % 8)
            # A line break more or less makes two lines of one, or one of two.
            if flipped[at] == ord("\n") or at == len(line) - 1:
                content = b"".join((*exported[:number], bytes(flipped), *exported[number + 1 :]))
                found = verified(content.splitlines(keepends=True))
            else:
                found = verify_chain([*records[:number], from_line(bytes(flipped)), *records[number + 1 :]])
            assert {number + 1, number + 2} & {broken.seq for broken in found.breaks}, (number, at, bytes(flipped))


def rechained(records: Sequence[AuditRecord], at: int, **changed: Any) -> Lines:
    """One record altered, and from there on all hashes made anew, as somebody does who knows how."""
    lines = [to_line(each) for each in records[:at]]
    previous = records[at].previous_hash
    for number, each in enumerate(records[at:]):
        forged = replace(each, previous_hash=previous, **(changed if number == 0 else {}))
        forged = replace(forged, hash=forged.computed_hash())
        previous = forged.hash
        lines.append(to_line(forged))
    return lines


Tampered = Callable[[Lines], Lines]
TAMPERED: dict[str, tuple[Tampered, str]] = {
    "the first cut off": (lambda lines: lines[1:], "record 1 is missing"),
    "one taken out": (lambda lines: lines[:4] + lines[5:], "record 5 is missing"),
    "several taken out": (lambda lines: lines[:2] + lines[6:], "records 3 to 6 are missing"),
    "two exchanged": (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], "record 3"),
    "the other way round": (lambda lines: lines[::-1], "was moved"),
    "one twice": (lambda lines: [*lines[:7], lines[6], *lines[7:]], "record 7"),
    "cut in the middle of a line": (lambda lines: [*lines[:-1], lines[-1][:50]], "record 12"),
    "written with spaces": (
        lambda lines: [json.dumps(json.loads(lines[0])).encode() + b"\n", *lines[1:]], "record 1",
    ),
    "an author": (lambda lines: [lines[0], lines[1].replace(b"dba@ops1", b"eve@ops1"), *lines[2:]], "record 2"),
    "a row's value, with a hash that fits": (
        lambda lines: [*lines[:2], *rechained([record(lines[2])], 0, payload='{"plan":{}}'), *lines[3:]], "record 3",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPERED)
def test_it_is_found_and_named(exported: Lines, how: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tamper, said = TAMPERED[how]
    file = tmp_path / "trail.jsonl"
    file.write_bytes(b"".join(tamper(list(exported))))
    assert run(["audit", "verify", "--file", str(file)]) == 5
    assert said in capsys.readouterr().out


def test_cut_off_at_its_end_or_written_anew_it_differs_from_the_id_that_was_kept(
    exported: Lines, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a file cannot know by itself; the id is what ``export`` prints."""
    records = [record(line) for line in exported]
    head = records[-1].id
    assert verified(exported, head).whole
    for end in range(len(exported)):
        assert verified(exported[:end]).whole
        found = verified(exported[:end], head)
        assert [broken.seq for broken in found.breaks] == [end + 1], "the first that is missing"
    file = tmp_path / "trail.jsonl"
    for at in range(len(records)):
        forged = rechained(records, at, author="eve@ops1")
        assert verified(forged).whole
        assert not verified(forged, head).whole
        file.write_bytes(b"".join(forged))
        assert not verify_chain(read(file), ends_with=head).whole
    assert run(["audit", "verify", "--file", str(file), "--head", head]) == 5
    assert f"the last record is not {head}" in capsys.readouterr().out
