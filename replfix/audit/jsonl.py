"""A trail as JSON lines: one record a line, in one canonical form, so that any changed byte can be told.

A line is the canonical JSON object of the record's fields; ``payload`` is a JSON object in it, so that other tools can
read it. (A payload that is no canonical JSON was altered; it is exported as a string, as it stands.)
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from replfix.core.audit_record import AuditRecord, Illegible, canonical
from replfix.errors import UsageError

_FIELDS = frozenset(field.name for field in fields(AuditRecord))


def to_line(record: AuditRecord) -> bytes:
    """The record as one line of UTF-8, newline included."""
    document: dict[str, object] = {name: getattr(record, name) for name in _FIELDS}
    try:
        content = record.content
        if canonical(content) == record.payload:
            document["payload"] = content
    except (ValueError, RecursionError):
        pass  # stays a string
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogateescape") + b"\n"


def from_line(line: bytes) -> AuditRecord | Illegible:
    """The record of one line, or why it is none. Only the exact bytes that to_line writes are taken."""
    try:
        document = json.loads(line.decode())
    except (ValueError, RecursionError):
        return Illegible("the line is no JSON")
    if not isinstance(document, dict) or document.keys() != _FIELDS:
        return Illegible("the line does not have the fields of a record")
    if isinstance(document["payload"], dict):
        try:
            document["payload"] = canonical(document["payload"])
        except ValueError as error:
            return Illegible(str(error))
    for name, value in document.items():
        if type(value) is not (int if name == "seq" else str):
            return Illegible(f"{name} has the wrong type")
    record = AuditRecord(**document)
    if to_line(record) != line:
        return Illegible("the line is not written as replfix writes it")
    return record


def read(path: Path) -> Iterator[AuditRecord | Illegible]:
    """The records of an exported file, one at a time. UsageError when the file cannot be read."""
    try:
        with path.open("rb") as file:
            for line in file:
                yield from_line(line)
    except OSError as error:
        raise UsageError(
            f"Cannot read {path}: {error.strerror or error}.", "Name a file that 'replfix audit export' wrote."
        ) from None
