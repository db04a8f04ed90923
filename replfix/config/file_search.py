"""Which configuration file is used, and what became of the others that were looked for."""

from __future__ import annotations

import enum
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from replfix.config.read_config import read_config, search_path, working_directory
from replfix.errors import ConfigError


class State(enum.StrEnum):
    """What became of a file."""

    USED = "used"
    MISSING = "missing"
    REFUSED = "refused"
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True, slots=True)
class LookedFor:
    """One place. ``why`` is for people; of a refused file the error with its hint."""

    path: Path
    named_by: str
    state: State
    why: str = ""


def looked_for(path: str | None) -> Iterator[LookedFor]:
    """Yield the places in their order. One that is used or refused ends the search: the others are not needed."""
    places = [(path, "--config"), (os.environ.get("REPLFIX_CONFIG"), "$REPLFIX_CONFIG")]
    named = next(((Path(name).expanduser().absolute(), by) for name, by in places if name), None)
    ended = False
    if named is not None:
        yield _judged(*named)
        ended = True
    for file in search_path():
        found = LookedFor(file, _name(file), State.NOT_NEEDED) if ended else _judged(file, _name(file))
        ended = ended or found.state in (State.USED, State.REFUSED)
        yield found


def _judged(file: Path, named_by: str) -> LookedFor:
    if not file.exists():
        return LookedFor(file, named_by, State.MISSING)
    try:
        # the file of the working directory is judged as such when nobody names it
        read_config(None if named_by == "./" else str(file))
    except ConfigError as error:
        return LookedFor(file, named_by, State.REFUSED, f"{error.message} {error.hint}".strip())
    return LookedFor(file, named_by, State.USED)


def _name(file: Path) -> str:
    if file == working_directory():
        return "./"
    return "the system" if file.parts[:2] == ("/", "etc") else "the user"
