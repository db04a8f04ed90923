"""One scenario a file: how replication is broken, and what diagnosis that must lead to.

A module ``two_writers`` here is the scenario ``two-writers``: it defines ``SCENARIO``. Nothing else lists them.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from replfix.core.words import suggestion
from replfix.errors import UsageError

if TYPE_CHECKING:
    from replfix.lab.scenario import Scenario


def names() -> list[str]:
    """Return the scenarios' names, sorted, without importing any of them."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))


def find(name: str) -> Scenario:
    """Return the scenario of that name; UsageError that lists them, the closest first, when there is none."""
    known = names()
    if name not in known:
        raise UsageError(f"There is no scenario {name[:60]!r}.", suggestion(name, known, "Scenarios"))
    scenario: Scenario = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").SCENARIO
    return scenario


def every() -> list[Scenario]:
    """Return all scenarios, sorted by name."""
    return [find(name) for name in names()]
