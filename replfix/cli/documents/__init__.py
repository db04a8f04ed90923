"""The JSON documents that the commands print: pydantic models, versioned by their ``schema``."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def every() -> tuple[ModuleType, ...]:
    """Return every module here, by name."""
    return tuple(
        importlib.import_module(f"{__name__}.{found.name}")
        for found in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name)
    )
