"""A real terminal for the tests: start a command in it, press keys, wait for what is on the screen.

tmux where it is installed; else pyte, a terminal emulator in Python, at the end of a pseudo terminal. Both give the
same to a test, and to the command under test.
"""

from __future__ import annotations

import copy
import fcntl
import os
import pty
import select
import shlex
import shutil
import struct
import subprocess
import sys
import termios
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

import pyte

from tests.integration.running import environment

LIMIT = 60.0  # seconds until a test gives up waiting
KEYS = {
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
}


class _Screen(pyte.Screen):
    """Takes the private forms of sequences, which a real terminal passes over, as what they are: nothing."""

    def select_graphic_rendition(self, *attrs: int, private: bool = False, **_: object) -> None:
        if not private:
            super().select_graphic_rendition(*attrs)

    def report_device_status(self, mode: int, **_: object) -> None:
        pass


class Terminal:
    """What both have. ``size`` is columns and lines."""

    def __init__(self, *command: str, size: tuple[int, int], env: Mapping[str, str], directory: Path) -> None:
        self.command = command
        self.size = size
        ours = ("NO_COLOR", "COLUMNS", "LINES")  # COLUMNS: pytest-xdist sets it, and it would win over the terminal's
        self.env = {k: v for k, v in environment().items() if k not in ours} | dict(env)
        self.directory = directory

    @property
    def cells(self) -> pyte.Screen:
        """What is on the screen, with its styles."""
        raise NotImplementedError

    @property
    def screen(self) -> str:
        return "\n".join(line.rstrip() for line in self.cells.display)

    def write(self, text: str) -> None:
        raise NotImplementedError

    @property
    def code(self) -> int | None:
        """The command's exit code; None while it runs."""
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def press(self, *keys: str) -> None:
        """Names out of ``KEYS``, or the character itself. Nothing may follow an escape until its effect was seen: a
        terminal sends Alt and a key as escape and that key."""
        assert "escape" not in keys[:-1]
        for key in keys:
            self.write(KEYS.get(key, key))

    def see(self, *words: str, seconds: float = LIMIT) -> str:
        """Wait until all of them are on the screen, however lines are broken; the screen."""
        deadline = time.monotonic() + seconds
        while True:
            screen = self.screen
            flat = " ".join(screen.split())
            missing = [w for w in words if w not in screen and " ".join(w.split()) not in flat]
            if not missing:
                return screen
            assert self.code is None, f"{missing} never came, the command has ended with {self.code}:\n{screen}"
            assert time.monotonic() < deadline, f"{missing} never came:\n{screen}"
            time.sleep(0.05)

    def focused(self, button: str) -> None:
        """Wait until the button of that name has the focus: it is shown in reverse then."""
        deadline = time.monotonic() + LIMIT
        while True:
            cells = self.cells
            for y, line in enumerate(cells.display):
                at = line.find(button)  # no wide characters stand before a button
                if at >= 0 and all(cells.buffer[y][at + n].reverse for n in range(len(button))):
                    return
            assert time.monotonic() < deadline, f"{button} never had the focus:\n{self.screen}"
            time.sleep(0.05)

    def goes(self, words: str, seconds: float = LIMIT) -> bool:
        """Whether it goes from the screen in that time."""
        deadline = time.monotonic() + seconds
        while words in self.screen:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def ended(self, seconds: float = LIMIT) -> int:
        """Wait until the command has ended; its exit code."""
        deadline = time.monotonic() + seconds
        while self.code is None:
            assert time.monotonic() < deadline, f"it never ended:\n{self.screen}"
            time.sleep(0.05)
        return self.code


class Tmux(Terminal):
    """A tmux server of its own, with a socket and a configuration of its own."""

    def __init__(self, *command: str, size: tuple[int, int], env: Mapping[str, str], directory: Path) -> None:
        super().__init__(*command, size=size, env=env, directory=directory)
        self._name = f"replfix-{uuid.uuid4().hex[:12]}"
        columns, lines = size
        self._code = directory / f"{self._name}.code"  # tmux 3.3 sometimes loses it
        options = directory / "tmux.conf"
        options.write_text("set -g remain-on-exit on\nset -g status off\nset -s escape-time 0\n", "ascii")
        self._tmux(
            "-f", str(options), "new-session", "-d", "-x", str(columns), "-y", str(lines), "-c", str(directory),
            shlex.join(("sh", "-c", f'"$@"; echo $? > {shlex.quote(str(self._code))}', "sh", *command)),
        )  # fmt: skip
        has = self._tmux("display-message", "-p", "#{pane_width} #{pane_height}").split()
        assert has == [str(columns), str(lines)]

    def _tmux(self, *args: str) -> str:
        env = {k: v for k, v in self.env.items() if k not in ("TMUX", "TMUX_PANE")}
        done = subprocess.run(
            ["tmux", "-L", self._name, *args], env=env, capture_output=True, text=True, encoding="utf-8", check=False
        )
        assert done.returncode == 0, f"tmux {args[0]}: {done.stderr}"
        return done.stdout

    @property
    def cells(self) -> pyte.Screen:
        screen = _Screen(*self.size)
        pyte.Stream(screen).feed(self._tmux("capture-pane", "-e", "-p").removesuffix("\n").replace("\n", "\r\n"))
        return screen

    def write(self, text: str) -> None:
        self._tmux("send-keys", "-H", *(f"{byte:02x}" for byte in text.encode()))

    @property
    def code(self) -> int | None:
        said = self._code.read_text("ascii") if self._code.exists() else ""
        return int(said) if said.endswith("\n") else None

    def close(self) -> None:
        self._tmux("kill-server")


class Pyte(Terminal):
    def __init__(self, *command: str, size: tuple[int, int], env: Mapping[str, str], directory: Path) -> None:
        super().__init__(*command, size=size, env=env, directory=directory)
        columns, lines = size
        self._screen = _Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._controller, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self._process = subprocess.Popen(
            command,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
            cwd=directory,
            env={**self.env, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        )
        os.close(terminal)
        self._closing = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while not self._closing.is_set():
            ready, _, _ = select.select([self._controller], [], [], 0.1)
            if not ready:
                continue
            try:
                data = os.read(self._controller, 1 << 16)
            except OSError:  # the last one who wrote has gone
                return
            with self._lock:
                self._stream.feed(data)

    @property
    def cells(self) -> pyte.Screen:
        with self._lock:
            return copy.deepcopy(self._screen)

    def write(self, text: str) -> None:
        os.write(self._controller, text.encode())

    @property
    def code(self) -> int | None:
        return self._process.poll()

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._closing.set()
        self._reader.join()
        os.close(self._controller)


def best() -> type[Terminal]:
    return Tmux if shutil.which("tmux") else Pyte


REPLFIX = (sys.executable, "-m", "replfix")
