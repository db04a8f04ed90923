"""The versions that the tests have run on: the one list, for the documentation, the lab and the test run itself."""

from __future__ import annotations

import re

TESTED = {
    "MySQL": ("9.7.4",),
    "MariaDB": ("10.5.23", "10.11.19", "11.8.6", "11.8.9"),
}
"""Servers change within a series too: MariaDB 11.8.9 logs other row images than 11.8.6 did."""

OLDEST = {"MySQL": (8, 0, 22), "MariaDB": (10, 5)}
"""The first with the statements that replfix uses: SHOW REPLICA STATUS and START REPLICA."""


def number(version: str) -> str:
    """``11.8.9`` of ``11.8.9-MariaDB-0+deb13u1``."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return found[0] if found else version


def untested(product: str, version: str) -> str:
    """Return the warning for a server of that version; empty where the tests have run on it."""
    known, own = TESTED.get(product, ()), number(version)
    if own in known:
        return ""
    alike = [each for each in known if each.split(".")[:2] == own.split(".")[:2]]
    of_series = f"of its series on {', '.join(alike)}" if alike else f"on {', '.join(known)}"
    return f"The tests have not run on {product} {own}, but {of_series}."


def too_old(product: str, version: str) -> str:
    """Return why replfix does not work with a replica of that version; empty where it does."""
    oldest, own = OLDEST[product], tuple(int(part) for part in number(version).split(".") if part.isdigit())
    if not own or own >= oldest:
        return ""
    return (
        f"The replica runs {product} {number(version)}; replfix needs {product} {'.'.join(map(str, oldest))} or newer."
    )
