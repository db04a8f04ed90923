"""Files of this machine that replfix trusts: who owns them, and who else may write to them, judged as ssh and git do.

ssh: StrictModes (sshd_config(5)), and Debian's rule that a group with no member but the user is nobody else. git:
safe.directory. A file is read by the descriptor that was judged, so that it cannot be another one by then. What is no
regular file is never waited for.
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat
from pathlib import Path
from typing import IO


class Distrusted(Exception):
    """Why a file is not believed, and what to do about it, in words."""

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(why)
        self.why = why
        self.remedy = remedy


def state_directory() -> Path:
    """``$XDG_STATE_HOME/replfix``, or the platform's place for state."""
    state = os.environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(state):  # the XDG specification says to ignore a relative one
        return Path(state) / "replfix"
    from platformdirs import user_state_dir

    return Path(user_state_dir("replfix", appauthor=False))


def opened(path: Path) -> IO[bytes]:
    """Open a regular file for reading, whoever owns it. OSError as ``open``, and for what is no regular file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a FIFO would wait for who writes to it
    there = os.fstat(descriptor)
    if stat.S_ISREG(there.st_mode) or _is_null(there):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(there.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "it is no regular file", str(path))


def read(path: Path, *, largest: int = 1 << 20) -> bytes:
    """Return the content of a trusted file.

    :class:`Distrusted` as ``judge``; OSError as ``opened``, and for a file of more bytes than ``largest``.
    """
    with opened(path) as file:
        judge(path)
        if not os.path.samestat(os.fstat(file.fileno()), path.stat()):
            raise OSError(errno.ESTALE, "it was replaced while it was read", str(path))
        found = file.read(largest + 1)
    if len(found) > largest:
        raise OSError(errno.EFBIG, f"it has more than {largest:,} bytes", str(path))
    return found


def judge(path: Path) -> None:
    """Raise :class:`Distrusted` where somebody else than the user and root owns the file, or could change or replace it.

    The file's own owner and mode are checked, and those of every directory above it, up to the user's home. Nobody can
    replace files of others in a sticky directory (/tmp). OSError where the file is missing.
    """
    real = path.resolve(strict=True)
    home = Path.home().resolve()
    if _is_null(real.stat()):
        return
    for number, each in enumerate((real, *real.parents)):
        there = each.stat()
        what = "It" if number == 0 else f"Its directory {each}"
        if there.st_uid not in _ours():
            whose = _user(there.st_uid)
            raise Distrusted(
                f"{what} belongs to {whose}.", f"Use a file of your own, or: chown {_user(os.geteuid())} {each}"
            )
        by_others = there.st_mode & stat.S_IWOTH or (there.st_mode & stat.S_IWGRP and not _is_ours_alone(there.st_gid))
        if by_others and not (stat.S_ISDIR(there.st_mode) and there.st_mode & stat.S_ISVTX):
            raise Distrusted(
                f"{what} can be written to by others (mode {stat.S_IMODE(there.st_mode):04o}).",
                f"Run: chmod go-w {each}",
            )
        if each == home:
            return


def judge_secret(path: Path) -> None:
    """Raise :class:`Distrusted` where others may read it, as ssh does for private keys. OSError where it is missing."""
    there = path.stat()
    by_others = there.st_mode & stat.S_IROTH or (there.st_mode & stat.S_IRGRP and not _is_ours_alone(there.st_gid))
    if by_others:
        raise Distrusted(
            f"It can be read by others (mode {stat.S_IMODE(there.st_mode):04o}).", f"Run: chmod 600 {path}"
        )


def _is_null(there: os.stat_result) -> bool:
    return stat.S_ISCHR(there.st_mode) and there.st_rdev == os.stat(os.devnull).st_rdev


def _ours() -> set[int]:
    """Return the users that are trusted: the user and root; for root also the user who called sudo, as git does."""
    me = os.geteuid()
    before = os.environ.get("SUDO_UID", "") if me == 0 else ""
    return {0, me, *([int(before)] if before.isdecimal() else [])}


def _is_ours_alone(group: int) -> bool:
    """Return whether nobody but the user and root is in it."""
    try:
        members = set(grp.getgrgid(group).gr_mem) | {each.pw_name for each in pwd.getpwall() if each.pw_gid == group}
    except KeyError:  # a number without a name
        return False
    return members <= {"root", _user(os.geteuid())}


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
