"""Finds the modules of a package that holds one thing a file: a new file is all that a new thing takes."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def modules_of(package: ModuleType) -> tuple[ModuleType, ...]:
    """Every module directly in ``package``, by name."""
    return tuple(
        importlib.import_module(f"{package.__name__}.{found.name}")
        for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name)
    )
