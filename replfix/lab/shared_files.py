"""Files that several processes share: written whole or not at all, and locked while they are made."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

PARTIAL = ".partial-"  # prefix of what is still being made


def write_whole(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file so that a reader, or a crash, sees either the old content or the new one."""
    handle, name = tempfile.mkstemp(prefix=PARTIAL, dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def locked(path: Path, on_wait: Callable[[], None] = lambda: None, *, remove: bool = False) -> Iterator[None]:
    """Hold the lock file ``path``; ``on_wait`` is called once when another process holds it.

    The kernel releases the lock when its holder dies, however it dies. With ``remove`` the file is gone afterwards.
    """
    import fcntl  # here, so that the module can be imported where there is none

    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:  # the holder before us has just removed the directory
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(handle, fcntl.LOCK_EX)
        # The holder before us may have removed the file: then this lock excludes nobody.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), path.stat()):
                break
        os.close(handle)
    try:
        yield
    finally:
        if remove:
            path.unlink(missing_ok=True)
        os.close(handle)


@contextlib.contextmanager
def directory_made_whole(path: Path) -> Iterator[Path]:
    """Give a directory beside ``path`` to fill, renamed to ``path`` when the block succeeds, else removed.

    The caller holds a lock on the parent: what an earlier, killed process left there is removed first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for stale in path.parent.glob(f"{PARTIAL}*"):
        shutil.rmtree(stale, ignore_errors=True)
    building = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=path.parent))
    try:
        yield building
        building.rename(path)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def cache_directory() -> Path:
    """Return where unpacked servers are."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("replfix"))


def labs_directory() -> Path:
    """Return where labs are."""
    import platformdirs

    return Path(platformdirs.user_state_dir("replfix")) / "lab"
