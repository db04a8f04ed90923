"""Running replfix as a user does: the installed command, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout; fails when there is none, or anything beside it."""
        found: dict[str, Any] = json.loads(self.out)
        return found


def environment() -> dict[str, str]:
    """The test's own, without what would change an account or a width."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("REPLFIX_") and k != "MYSQL_PWD"}
    return {**kept, "NO_COLOR": "1", "PYTHONUTF8": "1"}


def replfix(*args: str, stdin: str = "", seconds: float = 120) -> Ran:
    done = subprocess.run(
        [sys.executable, "-m", "replfix", *args],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=seconds,
        env=environment(),
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)
