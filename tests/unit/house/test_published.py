"""What a published replfix runs with: every package by version and hash, as the tests ran with it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.places import ROOT

PINS = [ROOT / ".ci" / "published" / name for name in ("runs-with.txt", "built-with.txt")]
PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>\S+) \\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", re.M)
FOR_USERS = ("postgresql",)  # the other one that users may want is installed by hand: the tests run without it


def normal(name: str) -> str:
    """As the index compares names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(path: Path) -> dict[str, str]:
    lines = path.read_text().splitlines()
    text = "".join(f"{line}\n" for line in lines if not line.startswith("#"))
    assert not PIN.sub("", text).strip(), "every line belongs to a pin with a hash"
    return {normal(pin["name"]): pin["version"] for pin in PIN.finditer(text)}


@pytest.mark.parametrize("path", PINS, ids=lambda path: path.stem)
def test_every_line_is_a_pin_with_its_hashes(path: Path) -> None:
    assert len(pinned(path)) > 10


def test_they_are_what_the_tests_ran_with() -> None:
    """``.ci/pin`` makes them anew, behind a change of constraints.txt or pyproject.toml."""
    lines = (line.partition("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    tested = {normal(name): version for name, _, version in lines}
    assert pinned(PINS[0]).items() <= tested.items()


def test_nothing_that_replfix_needs_is_left_out() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(each for extra in FOR_USERS for each in project["optional-dependencies"][extra]),
    ]
    names = {normal(re.split(r"[\s\[<>=!;]", each)[0]) for each in wanted}
    assert names <= pinned(PINS[0]).keys()
