"""A terminal for each test, closed at its end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.places import ROOT
from tests.terminal.terminal import REPLFIX, Terminal, best

Open = Callable[..., Terminal]


def pytest_report_header() -> str:
    which = best().__name__.lower()
    advice = "" if shutil.which("tmux") else " (tmux is not installed; apt-get install tmux, or brew install tmux)"
    return f"terminal: {which}{advice}"


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Open]:
    """``terminal(*args, size=(columns, lines))``: replfix with those arguments, in a terminal of that size; stderr in
    the file ``errors``, if given."""
    opened: list[Terminal] = []

    def open_(
        *args: str, size: tuple[int, int] = (120, 40), kind: type[Terminal] | None = None, errors: Path | None = None
    ) -> Terminal:
        env = {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])}
        to_file = ("sh", "-c", f'exec "$0" "$@" 2>{errors}') if errors else ()
        one = (kind or best())(*to_file, *REPLFIX, *args, size=size, env=env, directory=tmp_path)
        opened.append(one)
        return one

    yield open_
    for one in opened:
        one.close()
