"""The recipe that docs/automation.md prints for a timer, as it is printed: it calls a person exactly when one is needed."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from replfix.lab import scenarios
from replfix.lab.topology import Lab
from tests.conftest import Labs
from tests.integration.running import replfix
from tests.places import DOCS

FOR_A_PERSON = (
    "duplicate-primary",
    "duplicate-unique",
    "missing-parent",
    "missing-row-delete",
    "missing-row-update",
    "source-lost-row",
    "update-collides",
)
Run = Callable[..., list[str]]


def recipe() -> str:
    (script,) = re.findall(r"^```sh\n(#!/bin/sh\n.*?)^```$", (DOCS / "automation.md").read_text(), re.S | re.M)
    return str(script)


@pytest.fixture
def on_call(tmp_path: Path) -> Iterator[Run]:
    """Run the recipe once for those replicas; return who was called, and why.

    Its ``replfix`` asks this process for the command, which is 0.4 s sooner than one of its own.
    """
    asked, answered, printed, calls = (tmp_path / name for name in ("asked", "answered", "printed", "calls"))
    os.mkfifo(asked)
    os.mkfifo(answered)
    command = f"""printf '%s\\n' "$@" > "{asked}"\nread -r code < "{answered}"\ncat "{printed}"\nexit "$code\""""
    for name, text in (
        ("replfix", command),
        ("page", f'printf "%s\\n" "$*" >> "{calls}"'),
        ("on-call.sh", recipe().removeprefix("#!/bin/sh\n")),
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    configuration: list[Path] = []

    def answer() -> None:
        while arguments := asked.read_text().splitlines():
            ran = replfix(*arguments, "--config", str(configuration[-1]))
            printed.write_text(ran.out)
            answered.write_text(f"{ran.code}\n")

    def run(config: Path, *names: str) -> list[str]:
        calls.write_text("")
        configuration.append(config)
        environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "XDG_STATE_HOME": str(tmp_path)}
        subprocess.run(["on-call.sh", *names], env=environment, timeout=300, check=True)
        return calls.read_text().splitlines()

    answering = threading.Thread(target=answer, daemon=True)
    answering.start()
    yield run
    asked.write_text("")
    answering.join()


def test_a_person_is_called_exactly_when_one_is_needed(pair: Lab, labs: Labs, on_call: Run) -> None:
    """Ten incidents, one after the other on one pair: a healthy channel and one that was applied twice call nobody."""
    config = pair.config_file
    assert on_call(config, "replica1") == []

    scenarios.find("applied-twice").stage(pair)
    assert on_call(config, "replica1") == [], "the first transaction is verified, and another one waits"
    assert on_call(config, "replica1") == [], "the second one is verified too"
    pair.wait_until_applied()

    for name in FOR_A_PERSON:
        labs.as_new("mysql")
        scenarios.find(name).stage(pair)
        (call,) = on_call(config, "replica1")
        assert call.startswith("replica1 needs a person: "), name
        assert re.search(r"Error_code|MY-\d+", call), call

    with pair.replica.session() as session:
        session.execute("STOP REPLICA")
    stopped, unknown = on_call(config, "replica1", "nowhere")
    assert stopped.startswith("replica1 "), "a channel that somebody stopped is no conflict, and nothing to repair"
    assert unknown.startswith("nowhere cannot be diagnosed: No replica 'nowhere' is configured.")
