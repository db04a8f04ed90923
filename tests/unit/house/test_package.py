"""What is published can be installed, and works without the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import replfix
from replfix.cli.app import COMMANDS
from tests.places import ROOT


def run(*command: str, at: Path, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "REPLFIX", "COV"))}
    ran = subprocess.run(command, cwd=at, env=clean | environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the wheel is installed that was built from what the sdist has."""
    at = tmp_path_factory.mktemp("package")
    hatch = (sys.executable, "-m", "hatchling", "build", "-d", str(at))
    run(*hatch, "-t", "sdist", at=ROOT)
    (sdist,) = at.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(at, filter="data")
    run(*hatch, "-t", "wheel", at=at / sdist.name.removesuffix(".tar.gz"))
    (wheel,) = at.glob("*.whl")
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps")
    run(*pip, "--no-compile", "--target", str(at / "target"), str(wheel), at=at)
    return at / "target"


def test_it_runs_from_elsewhere(installed: Path, tmp_path: Path) -> None:
    at = {"PYTHONPATH": str(installed)}
    where = run(sys.executable, "-c", "import replfix; print(replfix.__file__)", at=tmp_path, **at)
    assert Path(where.strip()) == installed / "replfix" / "__init__.py"
    command = str(installed / "bin" / "replfix")
    assert run(command, "--version", at=tmp_path, **at).strip() == f"replfix, version {replfix.__version__}"
    shown = run(command, "--help", at=tmp_path, **at)
    assert [name for name in COMMANDS if f"\n  {name} " not in shown] == []
    for shell in ("bash", "zsh", "fish"):
        assert "replfix" in run(command, at=tmp_path, _REPLFIX_COMPLETE=f"{shell}_source", **at)


def test_it_has_every_file_of_the_package(installed: Path) -> None:
    def files(package: Path) -> set[str]:
        return {
            path.relative_to(package).as_posix()
            for path in package.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }

    ours = files(ROOT / "replfix")
    assert "py.typed" in ours
    assert ours - files(installed / "replfix") == set()


def test_the_wheel_has_nothing_but_the_package_and_what_is_said_of_it(installed: Path) -> None:
    (wheel,) = installed.parent.glob("*.whl")
    top = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert top == {"replfix", f"replfix-{replfix.__version__}.dist-info"}
