"""PostgreSQL's csvlog: one record as the lines that the same server writes to stderr.

Columns: "Using CSV-Format Log Output" in PostgreSQL's manual; 23 up to version 12, 24 in 13, 26 since 14.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_BEGINNING = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [A-Za-z0-9+:-]{1,8},", re.MULTILINE)
_FIELD = re.compile(r'"((?:[^"]|"")*)"|([^,\n"]*)')
LONGEST = 64_000
FEWEST = 19
_TIME, _PROCESS, _LEVEL, _STATE, _MESSAGE, _DETAIL, _CONTEXT, _STATEMENT = 0, 3, 11, 12, 13, 14, 18, 19


@dataclass(frozen=True, slots=True)
class CsvRecord:
    """One record, as far as an error needs it; what it leaves out is empty. ``end``: where it ends in its text."""

    time: str
    process: str
    level: str
    sqlstate: str
    message: str
    detail: str
    context: str
    statement: str
    end: int


def record_at(text: str, at: int) -> CsvRecord | None:
    """Return the record that begins at ``at``, which can go on over line ends; None when none does."""
    if not _BEGINNING.match(text, at):
        return None
    fields: list[str] = []
    limit = min(len(text), at + LONGEST)
    while True:
        field = _FIELD.match(text, at, limit)
        if field is None:
            return None
        fields.append(field[1].replace('""', '"') if field[1] is not None else field[2])
        at = field.end()
        if text[at : at + 1] != ",":
            break
        at += 1
    if len(fields) <= FEWEST or not fields[_PROCESS].isdigit():
        return None
    return CsvRecord(
        time=fields[_TIME],
        process=fields[_PROCESS],
        level=fields[_LEVEL],
        sqlstate=fields[_STATE],
        message=fields[_MESSAGE],
        detail=fields[_DETAIL],
        context=fields[_CONTEXT],
        statement=fields[_STATEMENT],
        end=at,
    )


def as_stderr(record: CsvRecord) -> str:
    """Return the record as stderr has it: a line for each field, further lines of a field after a tab."""
    before = f"{record.time} [{record.process}] "
    named = (
        (f"{record.level}:  ", record.message),
        ("DETAIL:  ", record.detail),
        ("CONTEXT:  ", record.context),
        ("STATEMENT:  ", record.statement),
    )
    return "\n".join(before + label + text.replace("\n", "\n\t") for label, text in named if text)


def unpacked(text: str) -> str:
    """Return the text with each csvlog record as ``as_stderr`` has it; anything else as it is."""
    parts: list[str] = []
    kept = 0
    at = 0
    while (beginning := _BEGINNING.search(text, at)) is not None:
        record = record_at(text, beginning.start())
        if record is None:
            at = beginning.end()
            continue
        parts += [text[kept : beginning.start()], as_stderr(record)]
        kept = at = record.end
    return "".join(parts) + text[kept:] if parts else text
