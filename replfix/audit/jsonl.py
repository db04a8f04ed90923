"""A trail as JSON lines: one record a line, in one canonical form, so that any changed byte is detected.

A line is the canonical JSON object of the record's fields; ``payload`` is a JSON object in it, so that other tools can
read it. A signed record has the key's id and the signature too. (A payload that is no canonical JSON was altered; it is
exported as a string, unchanged.)
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

from replfix import own_files
from replfix.core.trail.audit_record import AuditRecord, Illegible, canonical
from replfix.errors import UsageError

_SIGNED = frozenset(("key_id", "signature"))
_FIELDS = frozenset(field.name for field in fields(AuditRecord)) - _SIGNED


def to_line(record: AuditRecord) -> bytes:
    """Return the record as one line of UTF-8, newline included."""
    names = _FIELDS | _SIGNED if record.signature else _FIELDS
    document: dict[str, object] = {name: getattr(record, name) for name in names}
    with suppress(ValueError):
        document["payload"] = record.content
    return canonical(document).encode() + b"\n"


def from_line(line: bytes) -> AuditRecord | Illegible:
    """Return the record of one line, or why it is none. Only the exact bytes that to_line writes are accepted."""
    try:
        document = json.loads(line.decode())
    except (ValueError, RecursionError):
        return Illegible("the line is no JSON")
    if not isinstance(document, dict) or document.keys() not in (_FIELDS, _FIELDS | _SIGNED):
        return Illegible("the line does not have the fields of a record")
    if isinstance(document["payload"], dict):
        try:
            document["payload"] = canonical(document["payload"])
        except ValueError as error:
            return Illegible(str(error))
    for name, value in document.items():
        if type(value) is not (int if name == "seq" else str):
            return Illegible(f"{name} has the wrong type")
    try:
        record = AuditRecord(**document)
        as_written = to_line(record)
    except ValueError as error:
        return Illegible(str(error))
    return record if as_written == line else Illegible("the line is not written as replfix writes it")


def read(path: Path) -> Iterator[AuditRecord | Illegible]:
    """Yield the records of an exported file, one at a time. UsageError when the file cannot be read."""
    try:
        with own_files.opened(path) as file:
            for line in file:
                yield from_line(line)
    except OSError as error:
        raise UsageError(
            f"Cannot read {path}: {error.strerror or error}.", "Name a file that 'replfix audit export' wrote."
        ) from None


def write_file(path: Path, lines: Iterable[bytes], *, not_over: Path | None) -> None:
    """Write a file that only its owner can read (mode 0600), whole or not at all; UsageError when that fails.

    ``not_over`` is the trail's own file, which is never overwritten.
    """
    try:
        if path.exists() and (
            not path.is_file() or (not_over is not None and not_over.exists() and path.samefile(not_over))
        ):
            raise UsageError(f"{path} is not a file to write an export to.", "Name another file.")
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                for line in lines:
                    file.write(line)
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror or error}.", "Name a file elsewhere.") from None
