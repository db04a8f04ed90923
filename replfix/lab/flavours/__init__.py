"""What differs between the servers of a lab: one module for each kind, each with one Protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from replfix.core.words import suggestion
from replfix.errors import UsageError
from replfix.lab.flavours.base import ChannelState, Flavour, Packages
from replfix.lab.flavours.mariadb import MARIADB, MARIADB_10_5, MARIADB_10_11, MARIADB_11_8
from replfix.lab.flavours.mysql import MYSQL
from replfix.mysql.connection.session import Session

__all__ = ["DEFAULT", "NAMES", "ChannelState", "Flavour", "Packages", "find", "recorded", "speaking"]

_ALL: tuple[Flavour, ...] = (MYSQL, MARIADB, MARIADB_10_5, MARIADB_10_11, MARIADB_11_8)
NAMES = tuple(flavour.name for flavour in _ALL)
DEFAULT = MYSQL.name


def find(name: str) -> Flavour:
    """Return the flavour of that name; UsageError that lists them when there is none."""
    for flavour in _ALL:
        if flavour.name == name:
            return flavour
    raise UsageError(f"There is no server {name[:60]!r}.", suggestion(name, NAMES, "Servers"))


def recorded(data: Mapping[str, Any]) -> Flavour:
    """Return the flavour that a state file names; MySQL in one from before there were several. ValueError otherwise."""
    name = data.get("flavour", DEFAULT)
    if name not in NAMES:
        raise ValueError(f"not a flavour: {name!r}")
    return find(name)


def speaking(session: Session) -> Flavour:
    """Return the flavour of the server at the other end, by the version that it sent at connect."""
    return MARIADB if session.is_mariadb else MYSQL
