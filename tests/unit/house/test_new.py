"""What ``make cause NAME=…`` and its like make: it fits the house, and its tests say what is left to write."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.places import ROOT

NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "__pycache__", "build", "dist", ".hypothesis", ".coverage*")
MADE = {
    "cause": "made-cause",
    "strategy": "made-strategy",
    "finding": "made-finding",
    "scenario": "made-scenario",
    "command": "madecommand",
}
TRIED = "made or fill_in or listed or lists or index or every_page or its_page"
LEFT = "test_nothing_that_was_made_from_a_template_is_left_to_fill_in"


def run(*arguments: str, at: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=at, capture_output=True, text=True, check=False)


def make(at: Path, kind: str, name: str) -> subprocess.CompletedProcess[str]:
    return run(".ci/new.py", kind, name, at=at)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository, and of what mypy knows of it."""
    return shutil.copytree(ROOT, tmp_path_factory.mktemp("house") / "copy", ignore=NOT_COPIED)


@pytest.fixture(scope="module")
def written(house: Path) -> dict[str, list[str]]:
    """By kind, the files that were made or changed."""
    found: dict[str, list[str]] = {}
    for kind, name in MADE.items():
        ran = make(house, kind, name)
        assert ran.returncode == 0, ran.stderr
        found[kind] = re.findall(r"^  (\S+)$", ran.stdout, re.MULTILINE)
    return found


def test_each_makes_a_module_and_a_test(written: dict[str, list[str]]) -> None:
    for kind, name in MADE.items():
        module = name.replace("-", "_")
        assert [path for path in written[kind] if path.startswith("replfix/") and path.endswith(f"/{module}.py")], kind
        assert [path for path in written[kind] if Path(path).name.startswith(f"test_{module}")], kind
        assert [path for path in written[kind] if path.startswith("docs/")], kind


def test_style_and_types_are_right(house: Path, written: dict[str, list[str]]) -> None:
    code = sorted({path for paths in written.values() for path in paths if path.endswith(".py")})
    for arguments in (("ruff", "check", "--no-cache"), ("ruff", "format", "--no-cache", "--check"), ("mypy",)):
        ran = run("-m", *arguments, *code, at=house)
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_only_what_is_left_to_write_fails(house: Path, written: dict[str, list[str]]) -> None:
    tests = {path for paths in written.values() for path in paths if path.startswith("tests/")}
    rules = ("tests/architecture", "tests/unit/house/test_docs.py", "tests/unit/lab/test_lab_state.py")
    ran = run("-m", "pytest", "-q", "-p", "no:cacheprovider", *rules, *sorted(tests), "-k", TRIED, at=house)
    assert re.findall(r"^FAILED \S+::(\w+)", ran.stdout, re.MULTILINE) == [LEFT], ran.stdout + ran.stderr
    for paths in written.values():
        module = next(path for path in paths if path.startswith("replfix/") and not path.endswith("__init__.py"))
        assert f"{module}:" in ran.stdout


@pytest.mark.parametrize(
    ("kind", "name", "why"),
    [
        ("cause", "My_Cause", "is no name"),
        ("cause", "two-rows", "is there already"),
        ("command", "my-command", "one word"),
        ("thing", "my-thing", "Usage: make cause|strategy|finding|scenario|command NAME=my-name"),
    ],
)
def test_what_cannot_be_made_is_refused(house: Path, kind: str, name: str, why: str) -> None:
    ran = make(house, kind, name)
    assert ran.returncode == 1
    assert why in ran.stderr
