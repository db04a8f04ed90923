"""Where in a TOML file a key is: tomllib does not report that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Path = tuple[int | str, ...]

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_TABLE = re.compile(rf"(\s*)\[\s*({_DOTTED})\s*\]\s*(?:#.*)?\Z")
_ARRAY = re.compile(rf"(\s*)\[\[\s*({_DOTTED})\s*\]\]\s*(?:#.*)?\Z")
_PAIR = re.compile(rf"(\s*)({_DOTTED})\s*=")
_ONE = re.compile(_KEY)


@dataclass(frozen=True, slots=True)
class Place:
    """Both from 1."""

    line: int
    column: int


def place_of(text: str, path: Sequence[int | str]) -> Place | None:
    """Return where the key is, else where the innermost table around it begins; None where neither is seen.

    Keys inside of inline tables and of arrays over several lines are found by the key that they belong to.
    """
    places: dict[Path, Place] = {}
    for found, place in _keys(text):
        places.setdefault(found, place)
    for length in range(len(path), 0, -1):
        if (nearest := places.get(tuple(path[:length]))) is not None:
            return nearest
    return None


def _keys(text: str) -> Iterator[tuple[Path, Place]]:
    table: Path = ()
    counts: dict[Path, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if array := _ARRAY.match(line):
            name = _parts(array[2])
            counts[name] = counts.get(name, -1) + 1
            table = (*name, counts[name])
            yield table, Place(number, len(array[1]) + 1)
        elif header := _TABLE.match(line):
            table = _inside(_parts(header[2]), counts)
            for length in range(1, len(table) + 1):
                yield table[:length], Place(number, len(header[1]) + 1)
        elif pair := _PAIR.match(line):
            path = (*table, *_parts(pair[2]))
            for length in range(len(table) + 1, len(path) + 1):
                yield path[:length], Place(number, len(pair[1]) + 1)


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(key[1:-1] if key[0] in "\"'" else key for key in _ONE.findall(dotted))


def _inside(name: Path, counts: dict[Path, int]) -> Path:
    """Return the table's path with the number of the array's entry that it belongs to."""
    for length in range(len(name), 0, -1):
        if name[:length] in counts:
            return (*name[:length], counts[name[:length]], *name[length:])
    return name
