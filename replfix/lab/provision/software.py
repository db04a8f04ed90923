"""A server program that can be started here."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replfix.errors import ConfigError
from replfix.lab import flavours
from replfix.lab.flavours import Flavour
from replfix.lab.processes import run

_VERSION = re.compile(r"\bVer (\d+\.\d+\.\d+\S*)")


@dataclass(frozen=True, slots=True)
class Software:
    """How to start a server: the words of the command, then the options by which it finds its own files.

    ``client_directory`` has the client programs (mysql, mysqlbinlog), None where they are unknown.
    """

    flavour: Flavour
    origin: str
    version: str
    mysqld: tuple[str, ...]
    options: tuple[str, ...] = ()
    client_directory: str | None = None

    @property
    def title(self) -> str:
        """For people: "MySQL 9.7.4"."""
        product = self.flavour.product
        return f"{product} {self.version.replace(f'-{product}', '')}"

    def server_command(self, *options: str) -> list[str]:
        """Return a whole command line.

        ``--no-defaults`` comes first: the lab ignores the machine's own configuration. ``--user=root`` because mysqld
        refuses to run as root without it.
        """
        as_root = ("--user=root",) if os.geteuid() == 0 else ()
        return [*self.mysqld, "--no-defaults", *self.options, *as_root, *options]

    def client_command(self, name: str, *options: str) -> list[str]:
        """Return the command line of a client program, by MySQL's name for it; ConfigError where there is none."""
        name = self.flavour.client(name)
        path = Path(self.client_directory or "/nonexistent") / name
        if not path.exists():
            raise ConfigError(f"{self.origin} has no program {name}.", f"Install the client package with {name}.")
        return [*self.mysqld[:-1], str(path), "--no-defaults", *options]

    def as_json(self) -> dict[str, Any]:
        """Return it as the state file has it."""
        return {
            "flavour": self.flavour.name,
            "origin": self.origin,
            "version": self.version,
            "mysqld": list(self.mysqld),
            "options": list(self.options),
            "client_directory": self.client_directory,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Software:
        """Do the reverse of ``as_json``; KeyError, TypeError or ValueError on anything else."""
        return cls(
            flavour=flavours.recorded(data),
            origin=str(data["origin"]),
            version=str(data["version"]),
            mysqld=tuple(str(word) for word in data["mysqld"]),
            options=tuple(str(word) for word in data["options"]),
            client_directory=None if data["client_directory"] is None else str(data["client_directory"]),
        )


def identify(
    flavour: Flavour, origin: str, mysqld: tuple[str, ...], options: tuple[str, ...] = (), clients: Path | None = None
) -> Software:
    """Ask the program what it is. ConfigError when it does not start or is not of that flavour."""
    path = mysqld[-1]
    try:
        code, text = run([*mysqld, "--no-defaults", "--version"], seconds=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"{path} cannot be started: {error}", _HINT) from None
    found = _VERSION.search(text)
    if code != 0 or not found:
        raise ConfigError(
            f"{path} is no {flavour.program} that works here: {text.strip()[-300:] or f'exit code {code}'}", _HINT
        )
    if why_not := flavour.unfit(found[1]):
        raise ConfigError(f"{path} is {why_not}.", _HINT)
    return Software(flavour, origin, found[1], mysqld, options, str(clients) if clients else None)


_HINT = "Name another one with --mysqld PATH, or leave the option out: the lab then finds or fetches one."
