"""Signed trails: a chain that somebody rewrote, signatures taken away, other keys, and records of before keys were."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from replfix.audit import SqlTrail
from replfix.audit.jsonl import from_line, read, to_line
from replfix.audit.keys import Keys
from replfix.cli.app import run
from replfix.core.trail.audit_key import KeyRing, Unusable, key_of, signed
from replfix.core.trail.audit_record import (
    START,
    AuditRecord,
    Breakage,
    Head,
    RecordKind,
    Verification,
    chained,
    verify_chain,
)
from replfix.errors import AuditError
from tests.places import GOLDEN
from tests.unit.trail.test_audit_trail import tampered

TRAILS = GOLDEN / "trail"
SECRET, OTHER_SECRET = b"6b" * 32 + b"\n", b"7c" * 32
PEM, NO_ENCRYPTION = serialization.Encoding.PEM, serialization.NoEncryption()


def pair() -> tuple[bytes, bytes]:
    """Both halves, as openssl writes them."""
    private = Ed25519PrivateKey.generate()
    return (
        private.private_bytes(PEM, serialization.PrivateFormat.PKCS8, NO_ENCRYPTION),
        private.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
    )


PRIVATE, PUBLIC = pair()
OTHER_PRIVATE, OTHER_PUBLIC = pair()


@pytest.fixture
def key_file(tmp_path: Path) -> Callable[..., Path]:
    def made(text: bytes, mode: int = 0o600, name: str = "key") -> Path:
        path = tmp_path / name
        path.write_bytes(text)
        path.chmod(mode)
        return path

    return made


@pytest.fixture(params=["secret", "pair"])
def keys(request: pytest.FixtureRequest, key_file: Callable[..., Path]) -> Keys:
    return Keys(file=key_file(SECRET if request.param == "secret" else PRIVATE))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.db"


def opened(path: Path, keys: Keys | None = None) -> SqlTrail:
    return SqlTrail.open(f"sqlite:///{path}", author="dba@here", keys=keys or Keys())


def fill(trail: SqlTrail, count: int) -> None:
    for number in range(count):
        trail.append(RecordKind.REFUSED, incident="i", replica="r", channel="", payload={"n": number})


def broken(found: Verification) -> list[tuple[Breakage, int]]:
    return [(each.kind, each.seq) for each in found.breaks]


def rewritten(records: list[AuditRecord], at: int) -> list[AuditRecord]:
    """All from that record on written anew, with hashes that fit, by somebody without a key: signatures stay as they are."""
    made: list[AuditRecord] = []
    for record in records:
        payload = '{"n":"altered"}' if record.seq == at else record.payload
        previous = made[-1].hash if made else record.previous_hash
        new = replace(record, payload=payload, previous_hash=previous)
        made.append(replace(new, hash=new.computed_hash()))
    return made


def test_every_record_is_signed(path: Path, keys: Keys) -> None:
    trail = opened(path, keys)
    fill(trail, 3)
    found = trail.verify()
    assert (found.whole, found.records, found.signed, found.checked) == (True, 3, 3, True)
    assert {record.key_id for record in trail.records()} == {keys.ring.keys[0].id}
    lines = [to_line(record) for record in trail.records()]
    assert [to_line(record) for line in lines if isinstance(record := from_line(line), AuditRecord)] == lines
    assert json.loads(lines[0]).keys() >= {"key_id", "signature"}


def test_a_chain_that_was_rewritten(path: Path, keys: Keys) -> None:
    trail = opened(path, keys)
    fill(trail, 4)
    forged = rewritten(list(trail.records()), 2)
    assert verify_chain(forged).whole, "without a key nobody could tell"
    assert broken(verify_chain(forged, seals=keys.ring)) == [(Breakage.FORGED, n) for n in (2, 3, 4)]
    without = [replace(record, key_id="", signature="") for record in forged]
    mixed = [*forged[:1], *without[1:]]
    assert broken(verify_chain(mixed, seals=keys.ring)) == [(Breakage.UNSIGNED, n) for n in (2, 3, 4)]
    assert verify_chain(without, seals=keys.ring).whole, (
        "every signature taken away: what tells is signed_from, or an anchor"
    )
    assert broken(verify_chain(without, seals=replace(keys.ring, signed_from=3))) == [
        (Breakage.UNSIGNED, 3),
        (Breakage.UNSIGNED, 4),
    ]


def test_a_signature_that_was_taken_away_or_moved(path: Path, keys: Keys) -> None:
    trail = opened(path, keys)
    fill(trail, 4)
    tampered(path, "DELETE FROM audit_signature WHERE seq = 3")
    assert broken(trail.verify()) == [(Breakage.UNSIGNED, 3)]
    assert broken(opened(path).verify()) == [(Breakage.UNSIGNED, 3)], "which needs no key"
    tampered(
        path,
        "UPDATE audit_signature SET signature = (SELECT signature FROM audit_signature WHERE seq = 1) WHERE seq = 2",
    )
    assert broken(trail.verify()) == [(Breakage.FORGED, 2), (Breakage.UNSIGNED, 3)]


def test_the_database_keeps_signatures(path: Path, keys: Keys) -> None:
    fill(opened(path, keys), 2)
    for statement in (
        "UPDATE audit_signature SET signature = ''",
        "DELETE FROM audit_signature",
        "INSERT OR REPLACE INTO audit_signature VALUES (1, '', '')",
    ):
        with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.Error, match="append-only"):
            connection.execute(statement)


def test_nobody_goes_on_without_a_signature(path: Path, keys: Keys) -> None:
    """A host on which the key was forgotten would break the trail of all others."""
    fill(opened(path, keys), 2)
    with pytest.raises(AuditError, match="no key is configured here"):
        fill(opened(path), 1)
    assert opened(path, keys).verify().records == 2


def test_another_key(path: Path, key_file: Callable[..., Path], keys: Keys) -> None:
    fill(opened(path, keys), 3)
    other = Keys(file=key_file(OTHER_SECRET, name="other"))
    found = opened(path, other).verify()
    assert broken(found) == [(Breakage.UNKNOWN_KEY, 1)], "said once for each key"
    assert keys.ring.keys[0].id in found.breaks[0].message
    # The id of the right key beside the signature of another one.
    (last,) = opened(path).records(newest_first=True, limit=1)
    forged = replace(signed(last, other.ring.keys[0]), key_id=keys.ring.keys[0].id)
    assert broken(verify_chain([forged], seals=keys.ring, selection=True)) == [(Breakage.FORGED, 3)]


def test_keys_that_change(path: Path, key_file: Callable[..., Path]) -> None:
    """The old key goes on verifying; the public half is enough for that."""
    old = Keys(file=key_file(PRIVATE, name="old"))
    fill(opened(path, old), 2)
    public = key_file(PUBLIC, mode=0o644, name="old.pub")
    new = Keys(file=key_file(SECRET, name="new"), verifying=(public,))
    fill(opened(path, new), 2)
    assert opened(path, new).verify().whole
    assert len({record.key_id for record in opened(path).records()}) == 2
    auditor = Keys(verifying=(public, key_file(SECRET, name="copy")))
    assert opened(path, auditor).verify().whole
    assert broken(opened(path, Keys(verifying=(public,))).verify()) == [(Breakage.UNKNOWN_KEY, 3)]


def test_the_public_half_signs_nothing(path: Path, key_file: Callable[..., Path]) -> None:
    with pytest.raises(AuditError, match="public half"):
        fill(opened(path, Keys(file=key_file(PUBLIC))), 1)
    assert not path.exists()


def test_records_of_before_keys_were(tmp_path: Path, keys: Keys) -> None:
    """Written by an older replfix: read and verified as they are, to the byte, and gone on with."""
    old = tmp_path / "old.db"
    shutil.copy(TRAILS / "unsigned.db", old)
    lines = (TRAILS / "unsigned.jsonl").read_bytes()
    for each in (Keys(), keys):
        trail = opened(old, each)
        found = trail.verify()
        assert (found.whole, found.records, found.signed) == (True, 5, 0)
        assert b"".join(map(to_line, trail.records())) == lines
        assert verify_chain(read(TRAILS / "unsigned.jsonl"), ends_with=found.head.id, seals=each.ring).whole
    fill(opened(old, keys), 2)
    found = opened(old, keys).verify()
    assert (found.whole, found.records, found.signed) == (True, 7, 2)
    assert b"".join(map(to_line, opened(old).records())).startswith(lines)
    fresh = tmp_path / "fresh.db"
    shutil.copy(TRAILS / "unsigned.db", fresh)
    fill(opened(fresh), 1)
    assert (opened(fresh).verify().records, opened(fresh).verify().whole) == (6, True)


def test_pruning_takes_signatures_too(path: Path, keys: Keys) -> None:
    trail = opened(path, keys)
    fill(trail, 3)
    trail.prune(list(trail.records())[1], {})
    found = trail.verify()
    assert (found.whole, found.records, found.signed) == (True, 2, 2)


@pytest.mark.parametrize(
    ("mode", "words"), [(0o644, "can be read by others"), (0o620, "can be written to by others"), (0o666, "by others")]
)
def test_a_key_that_others_have(path: Path, key_file: Callable[..., Path], mode: int, words: str) -> None:
    os.chown(file := key_file(SECRET), os.geteuid(), 65534)
    file.chmod(mode)
    with pytest.raises(AuditError, match=words) as refused:
        fill(opened(path, Keys(file=file)), 1)
    assert "chmod" in refused.value.hint
    assert not path.exists(), "nothing is written"


def test_a_key_that_is_not_there(path: Path, tmp_path: Path) -> None:
    for file in (tmp_path / "none", tmp_path):
        with pytest.raises(AuditError, match="cannot be read"):
            fill(opened(path, Keys(file=file)), 1)
        with pytest.raises(AuditError, match="cannot be read"):
            opened(path, Keys(verifying=(file,))).verify()
    assert not path.exists()


RSA = rsa.generate_private_key(65537, 2048).private_bytes(PEM, serialization.PrivateFormat.PKCS8, NO_ENCRYPTION)


NO_KEYS = {
    "nothing": b"",
    "word": b"hunter2",
    "short": b"6b" * 31,
    "odd": b"6b" * 32 + b"x",
    "rsa": RSA,
    "cut": PRIVATE[:60],
    "encrypted": PRIVATE.replace(b"PRIVATE", b"ENCRYPTED PRIVATE"),
}


@pytest.mark.parametrize("text", NO_KEYS.values(), ids=NO_KEYS)
def test_what_is_no_key(text: bytes) -> None:
    with pytest.raises(Unusable) as why:
        key_of(text)
    assert not text.strip() or text.strip().decode() not in str(why.value)


def test_a_command(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a key").write_bytes(SECRET)
    fill(opened(path, Keys(command=f"cat '{tmp_path / 'a key'}'")), 2)
    assert opened(path, Keys(command=f"cat '{tmp_path / 'a key'}'")).verify().signed == 2
    for command, words in (
        ("false", "ended with 1"),
        ("/nowhere/at/all", "cannot be run"),
        ("'", "cannot be run"),
        ("echo hunter2 $(id)", "neither PEM nor"),
        ("head -c 100000 /dev/zero", "more than"),
    ):
        with pytest.raises(AuditError, match=words) as refused:
            fill(opened(path, Keys(command=command)), 1)
        assert "hunter2" not in refused.value.message + refused.value.hint
    assert opened(path).verify().records == 2


def test_no_key_is_printed(key_file: Callable[..., Path]) -> None:
    keys = Keys(file=key_file(SECRET))
    shown = repr((keys, keys.signing, keys.ring, vars(keys)))
    assert "6b6b" not in shown
    assert "kkkk" not in shown


def test_a_key_has_one_id() -> None:
    assert key_of(PRIVATE).id == key_of(PUBLIC).id != key_of(OTHER_PUBLIC).id
    assert key_of(SECRET).id == key_of(SECRET.upper()).id != key_of(OTHER_SECRET).id
    ring = KeyRing.of([key_of(PRIVATE), key_of(PUBLIC)])
    assert len(ring.keys) == 1
    assert OTHER_PRIVATE != PRIVATE


def test_verify_on_the_command_line(
    tmp_path: Path, key_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    database, config = tmp_path / "audit.db", tmp_path / "signed.toml"
    key_file(SECRET, name="here.key")
    config.write_text(f'[audit]\nurl = "sqlite:///{database}"\nkey_file = "here.key"\n')
    fill(opened(database, Keys(file=tmp_path / "here.key")), 2)
    assert run(["audit", "verify", "--config", str(config)]) == 0
    assert "(2 records, 2 signed" in capsys.readouterr().out
    assert run(["audit", "export", "--output", str(tmp_path / "out.jsonl"), "--config", str(config)]) == 0
    capsys.readouterr()
    assert run(["audit", "verify", "--file", str(tmp_path / "out.jsonl"), "--json", "--config", str(config)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["signed"], document["signatures_checked"]) == (2, True)
    (tmp_path / "here.key").write_bytes(OTHER_SECRET)
    assert run(["audit", "verify", "--config", str(config)]) == 5
    assert "none of those configured" in capsys.readouterr().out
    (tmp_path / "here.key").unlink()
    assert run(["audit", "verify", "--config", str(config)]) == 4
    # Found in passing, a file chooses no key.
    (tmp_path / "replfix.toml").write_text('[audit]\nkey_file = "here.key"\n')
    assert run(["audit", "verify"]) == 2
    assert "audit.key_file" in capsys.readouterr().err
    both = tmp_path / "both.toml"
    both.write_text('[audit]\nkey_file = "a"\nkey_command = "b"\n')
    assert run(["audit", "verify", "--config", str(both)]) == 2


def test_a_head_is_kept(path: Path, keys: Keys) -> None:
    """Signatures are no part of the chain: hashes are as without them."""
    fill(opened(path, keys), 1)
    (record,) = opened(path).records()
    plain = chained(
        START,
        recorded_at=datetime.fromisoformat(record.recorded_at),
        kind=RecordKind.REFUSED,
        incident="i",
        replica="r",
        channel="",
        author="dba@here",
        version=record.version,
        payload=record.payload,
    )
    assert Head(1, plain.hash) == Head(record.seq, record.hash)
