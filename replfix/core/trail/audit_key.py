"""Keys that sign records of the audit trail: a secret (HMAC-SHA256), or a pair of Ed25519, whose public half verifies.

What is signed is this text in ASCII, with the key's id and the record's hash, which is over all of the record and over
the hash of the one before it::

    replfix audit record
    <key id>
    <hash>

A key's id follows from the key: nobody can give one key the id of another.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from replfix.core.trail.audit_record import AuditRecord

ID_DIGITS = 16
LEAST_SECRET_BYTES = 32
_SECRET = re.compile(rb"(?:[0-9a-fA-F]{2})+\Z")
_PUBLIC, _PRIVATE = b"-----BEGIN PUBLIC KEY-----", b"-----BEGIN PRIVATE KEY-----"


class Unusable(ValueError):
    """Why a text is no key, in words that do not repeat it."""


class Key(Protocol):
    """A key that signs records, or the half of one that only verifies."""

    @property
    def id(self) -> str:
        """What names the key in a record; it follows from the key."""
        ...

    @property
    def secret(self) -> bool:
        """Whether who has it can sign."""
        ...

    def sign(self, text: bytes) -> str:
        """Return the signature in hexadecimal; Unusable for the public half of a pair."""
        ...

    def verifies(self, text: bytes, signature: str) -> bool:
        """Return whether that is the signature of this key, or of its pair, for that text."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class HmacKey:
    """Implements :class:`Key`."""

    _bytes: bytes
    secret = True

    @property
    def id(self) -> str:
        """The first digits of a hash that only the secret gives."""
        return self.sign(b"replfix audit key id")[:ID_DIGITS]

    def sign(self, text: bytes) -> str:
        """Return the HMAC-SHA256 of the text, in hexadecimal."""
        return hmac.new(self._bytes, text, hashlib.sha256).hexdigest()

    def verifies(self, text: bytes, signature: str) -> bool:
        """Return whether the secret gives that signature; the comparison takes the same time for any."""
        return hmac.compare_digest(self.sign(text).encode(), signature.encode())


@dataclass(frozen=True, slots=True, repr=False)
class Ed25519Key:
    """Implements :class:`Key`."""

    _public: Ed25519PublicKey
    _private: Ed25519PrivateKey | None = None

    @property
    def secret(self) -> bool:
        """Whether the private half is there."""
        return self._private is not None

    @property
    def id(self) -> str:
        """The first digits of a hash of the public half."""
        return hashlib.sha256(b"replfix audit key id" + self._public.public_bytes_raw()).hexdigest()[:ID_DIGITS]

    def sign(self, text: bytes) -> str:
        """Return the signature in hexadecimal; Unusable without the private half."""
        if self._private is None:
            raise Unusable("it is the public half of a pair, which verifies and does not sign")
        return self._private.sign(text).hex()

    def verifies(self, text: bytes, signature: str) -> bool:
        """Return whether the private half of the pair gave that signature; False for what is none."""
        try:
            self._public.verify(bytes.fromhex(signature), text)
        except (InvalidSignature, ValueError):
            return False
        return True


def key_of(text: bytes) -> Key:
    """Return the key that a file or a command gives: PEM of Ed25519, or a secret as hexadecimal digits.

    Unusable for anything else.
    """
    text = text.strip()
    try:
        if text.startswith(_PRIVATE):
            private = load_pem_private_key(text, password=None)
            if isinstance(private, Ed25519PrivateKey):
                return Ed25519Key(private.public_key(), private)
        elif text.startswith(_PUBLIC):
            public = load_pem_public_key(text)
            if isinstance(public, Ed25519PublicKey):
                return Ed25519Key(public)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Unusable("it is PEM, and cannot be read as a key") from None
    if text.startswith(b"-----BEGIN"):
        raise Unusable("it is PEM, and not a key of Ed25519 without a passphrase")
    if not _SECRET.match(text):
        raise Unusable("it is neither PEM nor hexadecimal digits")
    if len(text) < 2 * LEAST_SECRET_BYTES:
        raise Unusable(f"a secret has {LEAST_SECRET_BYTES} bytes at least, which are {2 * LEAST_SECRET_BYTES} digits")
    return HmacKey(bytes.fromhex(text.decode()))


def signed(record: AuditRecord, key: Key) -> AuditRecord:
    """Return the record with a signature of its hash, and the key's id."""
    return replace(record, key_id=key.id, signature=key.sign(_text(key.id, record.hash)))


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys that verify. ``signed_from``: the number of the first record that has to be signed, where that is known."""

    keys: tuple[Key, ...] = ()
    signed_from: int | None = None

    @classmethod
    def of(cls, keys: Iterable[Key], signed_from: int | None = None) -> KeyRing:
        """Return the ring of those keys, each once."""
        return cls(tuple({key.id: key for key in keys}.values()), signed_from)

    def knows(self, key_id: str) -> bool:
        """Return whether a key of that id is among them."""
        return any(key.id == key_id for key in self.keys)

    def verifies(self, record: AuditRecord) -> bool:
        """Return whether one of the keys has signed that hash; says nothing about whether the hash fits."""
        text = _text(record.key_id, record.hash)
        return any(key.id == record.key_id and key.verifies(text, record.signature) for key in self.keys)


def _text(key_id: str, hash_: str) -> bytes:
    return f"replfix audit record\n{key_id}\n{hash_}\n".encode()
