"""The image of replfix: read as a linter would, for no Docker engine runs here."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex

from tests.places import ROOT

FOLDER = ROOT / "docker"
INSTRUCTIONS = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "HEALTHCHECK", "ENTRYPOINT"}


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", (FOLDER / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [(line.split()[0], line.partition(" ")[2].strip()) for line in lines if line.strip()]


def given(name: str) -> list[str]:
    return [argument for instruction, argument in instructions() if instruction == name]


def test_only_known_instructions_are_used() -> None:
    assert {name for name, _ in instructions()} == INSTRUCTIONS


def test_both_stages_are_of_one_slim_python_that_replfix_supports() -> None:
    build, final = (argument.split()[0] for argument in given("FROM"))
    assert build == final
    version = re.fullmatch(r"python:3\.(\d+)-slim", final)
    assert version
    assert int(version[1]) >= 11


def test_it_runs_as_nobody_of_importance_and_is_not_watched() -> None:
    last = [i for i, (name, _) in enumerate(instructions()) if name == "FROM"][-1]
    final = dict(instructions()[last:])
    user, group = map(int, final["USER"].split(":"))
    assert user >= 10000
    assert group >= 10000
    assert final["HEALTHCHECK"] == "NONE"
    assert json.loads(final["ENTRYPOINT"]) == ["replfix"]


def test_what_it_copies_is_there_and_nothing_else_gets_into_the_context() -> None:
    copied = {
        source.rstrip("/")
        for argument in given("COPY")
        if not argument.startswith("--from=build")
        for source in argument.split()[:-1]
    }
    assert [source for source in copied if not (ROOT / source).exists()] == []
    lines = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule.removeprefix("!") for rule in rules if rule.startswith("!")} == copied
    assert any(fnmatch.fnmatch("replfix/core/__pycache__", rule) for rule in rules[1:])


def test_every_package_is_pinned_by_hash_and_kept_in_no_cache() -> None:
    installs = [command for run in given("RUN") for command in run.split("&&") if "pip install" in command]
    assert len(installs) == 3
    for command in installs:
        options = set(shlex.split(command))
        assert "--no-cache-dir" in options
        assert "--require-hashes" in options or {"--no-index", "--no-deps"} <= options


def test_it_has_no_secret_and_no_place_for_a_trail_that_would_be_lost() -> None:
    text = (FOLDER / "Dockerfile").read_text()
    assert not re.search(r"password|passwd|secret|token|\bARG\b|\bADD\b", text, re.IGNORECASE)
    assert "XDG_STATE_HOME=/state" in text
    assert not re.search(r"mkdir|VOLUME|install -d", text)


def test_the_page_says_that_it_was_not_built() -> None:
    assert "not built in the tests" in " ".join((FOLDER / "README.md").read_text().split())
