"""What the configuration's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def bare_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of the account that runs the tests: an empty home directory, and no variable that names something."""
    for name in (
        "REPLFIX_CONFIG",
        "REPLFIX_USER",
        "REPLFIX_PASSWORD",
        "REPLFIX_READ_ONLY",
        "MYSQL_PWD",
        "MYSQL_GROUP_SUFFIX",
        "XDG_CONFIG_HOME",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path
