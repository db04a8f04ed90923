"""Which files are believed: whose they are, and who else could write to them."""

from __future__ import annotations

import grp
import os
from pathlib import Path

import pytest

from replfix import own_files
from replfix.own_files import Distrusted, judge

SOMEBODY = 12345


def made(path: Path, mode: int = 0o600) -> Path:
    path.write_text("x")
    path.chmod(mode)
    return path


def test_a_file_of_ones_own_is_believed(tmp_path: Path) -> None:
    for mode in (0o600, 0o644, 0o400):
        judge(made(tmp_path / f"{mode:o}", mode))


@pytest.mark.parametrize("mode", [0o602, 0o666, 0o646])
def test_one_that_others_may_write_to_is_not(tmp_path: Path, mode: int) -> None:
    with pytest.raises(Distrusted, match=f"written to by others \\(mode {mode:04o}\\)") as why:
        judge(made(tmp_path / "file", mode))
    assert why.value.remedy == f"Run: chmod go-w {tmp_path / 'file'}"


def test_a_group_of_ones_own_is_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = made(tmp_path / "file", 0o660)
    judge(file)
    several = grp.struct_group(("dbas", "x", file.stat().st_gid, ["root", "alice"]))
    monkeypatch.setattr(grp, "getgrgid", lambda _: several)
    with pytest.raises(Distrusted):
        judge(file)


@pytest.mark.parametrize("what", ["file", "directory", "above"])
def test_what_belongs_to_somebody_else_is_not_believed(tmp_path: Path, what: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to somebody else")
    (tmp_path / "above" / "directory").mkdir(parents=True)
    file = made(tmp_path / "above" / "directory" / "file")
    os.chown({"file": file, "directory": file.parent, "above": file.parents[1]}[what], SOMEBODY, -1)
    with pytest.raises(Distrusted, match=f"belongs to {SOMEBODY}"):
        judge(file)


def test_a_directory_in_which_others_could_put_another_one(tmp_path: Path) -> None:
    directory = tmp_path / "open"
    directory.mkdir()
    file = made(directory / "file")
    directory.chmod(0o777)
    with pytest.raises(Distrusted, match=r"Its directory .*open can be written to by others"):
        judge(file)
    directory.chmod(0o1777)  # as /tmp: only the owner of a file replaces it
    judge(file)


def test_a_link_is_judged_by_what_it_leads_to(tmp_path: Path) -> None:
    directory = tmp_path / "open"
    directory.mkdir()
    theirs = made(directory / "theirs")
    directory.chmod(0o777)
    link = tmp_path / "mine"
    link.symlink_to(theirs)
    with pytest.raises(Distrusted):
        judge(link)


def test_nothing_but_a_regular_file_is_read(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(OSError, match="no regular file"):
        own_files.read(fifo, largest=10)
    with pytest.raises(OSError, match="no regular file"):
        own_files.read(Path("/dev/zero"), largest=10)
    with pytest.raises(IsADirectoryError):
        own_files.read(tmp_path, largest=10)
    with pytest.raises(OSError, match="more than 10 bytes"):
        own_files.read(_large(tmp_path), largest=10)
    assert own_files.read(Path(os.devnull), largest=10) == b""
    judge(Path(os.devnull))


def _large(directory: Path) -> Path:
    file = directory / "large"
    file.write_bytes(bytes(11))
    return file


def test_who_became_root_by_sudo_is_believed_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to somebody else")
    file = made(tmp_path / "file")
    os.chown(file, SOMEBODY, -1)
    monkeypatch.setenv("SUDO_UID", str(SOMEBODY))
    judge(file)
