"""Reports that are saved from a screen."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

from replfix.errors import ReplfixError


def save(kind: str, name: str, text: str, suffix: str) -> Path:
    """Save a report in the working directory, under a name of its own; return its path.

    For its owner only, for there are names and values in it, and never over another file. Raises ReplfixError.
    """
    safe = re.sub(r"[^\w.-]", "_", name)
    path = Path.cwd() / f"replfix-{kind}-{safe}-{datetime.now(UTC):%Y%m%d-%H%M%S}.{suffix}"
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text.encode("utf-8", "replace").decode())
    except OSError as error:
        raise ReplfixError(f"Cannot write {path}: {error.strerror}.", "Start replfix elsewhere.") from None
    return path
