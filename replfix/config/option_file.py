"""MySQL option files, as the MySQL clients read them: address, account and TLS in the ``[client]`` group.

Source: MySQL manual, "Using Option Files", and mysys/my_default.cc for what the manual leaves open. PyMySQL's own
reader is not used: it takes ``#`` in a value as a part of it, knows no escapes and no ``!include``.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from replfix import own_files
from replfix.core.connection.endpoint import Secret
from replfix.core.connection.sign_in import CLIENTS_RULES, SignIn, sign_in_of
from replfix.core.connection.tls import NO_TLS_OPTIONS, Tls, tls_of
from replfix.core.words import help_on
from replfix.errors import ConfigError

GROUPS = ("client", "client-server", "client-mariadb", "replfix")
"""What is read in each file: the clients' groups (MariaDB has three), and one of replfix's own."""

_MAX_DEPTH = 10  # of !include, as in the server
_SPACES = " \t\r\n\v\f"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "s": " ", '"': '"', "'": "'", "\\": "\\"}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_HINT = f"{help_on('configuration')} shows how an option file is written."


@dataclass(frozen=True, slots=True)
class OptionFile:
    """Address and account of option files. ``password`` is None when there is none, or when it is to be asked for.

    ``socket`` is for ``localhost``, where no ``protocol=TCP`` beside it says otherwise.
    """

    host: str | None = None
    port: int | None = None
    user: str | None = None
    password: Secret | None = None
    asks: bool = False
    """``password`` without a value: an earlier one does not count."""
    socket: str | None = None
    by_network: bool = False
    tls: Tls = NO_TLS_OPTIONS
    sign_in: SignIn = CLIENTS_RULES
    warnings: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """All groups that are in the file, read or not."""

    def over(self, earlier: OptionFile) -> OptionFile:
        """Return what this one has, else what an earlier one has. A password is not taken along to another user."""
        password = self.password
        if password is None and not self.asks and self.user in (None, earlier.user):
            password = earlier.password
        return OptionFile(
            host=self.host or earlier.host,
            port=self.port or earlier.port,
            user=self.user or earlier.user,
            password=password,
            asks=self.asks or earlier.asks,
            socket=self.socket or (None if self.by_network else earlier.socket),
            by_network=self.by_network or (earlier.by_network and self.socket is None),
            tls=self.tls.over(earlier.tls),
            sign_in=self.sign_in.over(earlier.sign_in),
            warnings=(*earlier.warnings, *self.warnings),
            groups=tuple(dict.fromkeys((*earlier.groups, *self.groups))),
        )


NO_OPTIONS = OptionFile()


@dataclass(slots=True)
class _Reading:
    wanted: frozenset[str]
    groups: dict[str, None] = field(default_factory=dict)
    options: dict[str, str | None] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def read_option_file(file: Path, groups: Sequence[str] = GROUPS) -> OptionFile:
    """Read the file and its includes; OSError when the file cannot be read, ConfigError when it is malformed.

    Like the MySQL clients, it ignores a file that anybody may write to, and notes that in ``warnings``.
    """
    reading = _Reading(frozenset(groups))
    _read(file, reading, depth=0)
    return _understood(file, reading)


def parse_options(file: Path, text: str, groups: Sequence[str]) -> OptionFile:
    """Return what a text says that was read from ``file``. ConfigError when it is malformed."""
    reading = _Reading(frozenset(groups))
    _read_lines(file, text, reading, depth=_MAX_DEPTH)
    return _understood(file, reading)


def _understood(file: Path, reading: _Reading) -> OptionFile:
    options = reading.options
    user, password = options.get("user"), options.get("password")
    by_network = (options.get("protocol") or "").upper() == "TCP"
    try:
        tls = tls_of(options)
        port = _port(options.get("port"))
    except ValueError as error:
        raise ConfigError(f"{file}: {error}.", _HINT) from None
    return OptionFile(
        host=options.get("host") or None,
        port=port,
        user=user or None,
        password=Secret(password) if password is not None else None,
        asks="password" in options and password is None,
        socket=None if by_network else options.get("socket") or None,
        by_network=by_network,
        tls=tls,
        # Clear text is allowed by name of the server only: this file is for all of them.
        sign_in=replace(sign_in_of(options), enable_cleartext_plugin=None),
        warnings=tuple(reading.warnings),
        groups=tuple(reading.groups),
    )


def _port(text: str | None) -> int | None:
    """Return None for 0 too, which is the clients' word for the usual one. ValueError, for people, for what is no port."""
    if not text or text == "0":
        return None
    if not text.isascii() or not text.isdecimal() or int(text) > 65535:
        raise ValueError("port is a number from 1 to 65535")
    return int(text)


def _read(file: Path, reading: _Reading, depth: int) -> None:
    try:
        text = own_files.read(file).decode("utf-8", "surrogateescape")
    except own_files.Distrusted as why:
        reading.warnings.append(f"{file} is ignored. {why} {why.remedy}")
        return
    if _read_lines(file, text, reading, depth) and file.stat().st_mode & stat.S_IROTH:
        reading.warnings.append(f"{file} has a password in it and anybody may read it. Run: chmod 600 {file}")


def _read_lines(file: Path, text: str, reading: _Reading, depth: int) -> bool:
    """Read the options of the groups that are wanted; return whether a password is among them."""
    group = ""
    has_password = False
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip(_SPACES)
        if not line or line[0] in "#;":
            continue
        if line[0] == "!":
            _include(file, number, line, reading, depth)
        elif line[0] == "[":
            name, bracket, _ = line[1:].partition("]")
            if not bracket:
                raise ConfigError(f"{file}, line {number}: a group without its closing bracket.", _HINT)
            group = name.strip(_SPACES)
            reading.groups[group] = None
        elif not group:
            raise ConfigError(
                f"{file}, line {number}: an option outside of any group.", f"Put [client] above it. {_HINT}"
            )
        elif group in reading.wanted:
            name, value = _option(line)
            reading.options.pop(name, None)  # the last one counts, also among names that mean the same
            reading.options[name] = value
            has_password = has_password or (name == "password" and value is not None)
    return has_password


def _include(file: Path, number: int, line: str, reading: _Reading, depth: int) -> None:
    directive, _, rest = line.partition(" ") if " " in line else line.partition("\t")
    target = file.parent / Path(rest.strip(_SPACES)).expanduser()
    if directive not in ("!include", "!includedir") or not rest.strip(_SPACES):
        raise ConfigError(f"{file}, line {number}: neither !include FILE nor !includedir DIRECTORY.", _HINT)
    if depth >= _MAX_DEPTH:
        reading.warnings.append(f"{file}, line {number}: not included, {_MAX_DEPTH} files deep already.")
        return
    try:
        for included in [target] if directive == "!include" else _in_directory(target):
            _read(included, reading, depth + 1)
    except OSError as error:
        reading.warnings.append(f"{file}, line {number}: {target} cannot be read: {error.strerror}.")


def _in_directory(directory: Path) -> Iterator[Path]:
    yield from sorted(found for found in directory.iterdir() if found.suffix == ".cnf")


def _option(line: str) -> tuple[str, str | None]:
    """Return name (with ``-`` for ``_``) and value of an option; None for an option without ``=``."""
    name, equals, value = _without_comment(line).partition("=")
    name = name.strip(_SPACES).replace("_", "-").removeprefix("loose-")
    return name, _unescape(_unquote(value.strip(_SPACES))) if equals else None


def _without_comment(line: str) -> str:
    """Return the line up to a ``#`` outside of quotes; ``;`` starts a comment only at the start of a line."""
    quote = ""
    escaped = False
    for at, character in enumerate(line):
        if character in "'\"" and not escaped:
            if not quote:
                quote = character
            elif quote == character:
                quote = ""
        if not quote and character == "#":
            return line[:at]
        escaped = bool(quote) and character == "\\" and not escaped
    return line


def _unquote(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] in "'\"" and value[0] == value[-1] else value


def _unescape(value: str) -> str:
    """Replace escapes, inside and outside of quotes; the backslash of an unknown one stays."""
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[0]), value)
