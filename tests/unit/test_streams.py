"""stdout and stderr that cannot be written, in a process of their own."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest

from tests.integration.running import environment

REPLFIX = f"{shlex.quote(sys.executable)} -m replfix"


@pytest.mark.parametrize(
    ("line", "code", "out", "err"),
    [
        ("{} --help > /dev/full", 4, "", "stdout: No space left on device. The command itself ended with 0"),
        ("{} status --config /nowhere --json > /dev/full", 2, "", "Nothing was changed."),
        ("{} status --config /nowhere > /dev/full 2>&1", 2, "", ""),
        ("set -o pipefail; {} --help | head -c 1", 0, "U", ""),
    ],
)
def test_what_cannot_be_printed_ends_in_words_and_a_code(line: str, code: int, out: str, err: str) -> None:
    ran = subprocess.run(
        ["bash", "-c", line.format(REPLFIX)], capture_output=True, text=True, check=False, env=environment()
    )
    assert (ran.returncode, ran.stdout) == (code, out), ran.stderr
    assert (err in ran.stderr) if err else not ran.stderr
    assert "Traceback" not in ran.stderr
    assert "bug" not in ran.stderr
