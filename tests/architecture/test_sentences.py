"""A sentence is written once: what two faces say comes from present/, and inside present/ from one module."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.places import ROOT

PACKAGE = ROOT / "replfix"
FACES = ("cli", "tui", "present")
WORDS = 4
WORD = re.compile(r"[^\W\d_]{2,}(?:['’-][^\W\d_]+)*")

ALLOWED: dict[str, str] = {}
"""Sentences that may be in several modules, each with the reason."""


def _docstrings(tree: ast.Module) -> set[int]:
    """The strings that stand alone as statements: docstrings, and those below a name."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def _help_texts(tree: ast.Module) -> set[int]:
    """What --help says of an option: the same option of two commands says the same."""
    found: set[int] = set()
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            found |= {
                id(node)
                for keyword in call.keywords
                if keyword.arg in ("help", "epilog", "tooltip", "description")
                for node in ast.walk(keyword.value)
            }
    return found


def sentences(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text("utf-8"))
    left_out = _docstrings(tree) | _help_texts(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left_out:
            text = " ".join(WORD.findall(node.value)).casefold()
            if text.count(" ") >= WORDS - 1:
                yield text


def test_no_sentence_stands_in_two_modules_of_the_faces() -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for face in FACES:
        for path in sorted((PACKAGE / face).rglob("*.py")):
            for sentence in sentences(path):
                found[sentence].add(path.relative_to(PACKAGE).as_posix())
    twice = {text: sorted(paths) for text, paths in found.items() if len(paths) > 1 and text not in ALLOWED}
    assert twice == {}
    assert {text for text in ALLOWED if len(found[text]) < 2} == set(), "not needed any more"
