"""Find and read ``replfix.toml``; every error in it is reported by file, key and what to do."""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from replfix import own_files
from replfix.config.model import ConfigFile
from replfix.config.toml_places import Place, place_of
from replfix.core.connection.tls import TlsMode
from replfix.core.words import help_on, nearest, suggestion
from replfix.errors import ConfigError

FILE_NAME = "replfix.toml"

_AT = re.compile(r"\(at line (\d+), column (\d+)\)")
_SECRET_KEY = re.compile(r"pass(word|wd|phrase)?|pwd|secret", re.IGNORECASE)
_ELSEWHERE = (
    "Remove it. Put it into [client] of ~/.my.cnf (mode 0600) or of the file that defaults_file names, "
    "or into the environment as REPLFIX_PASSWORD."
)
_NOT_IN_PASSING = {
    "defaults_file", "login_path", "socket", "enable_cleartext_plugin", "get_server_public_key", "server_public_key_path",
    "ssl_mode", "ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "ssl_cipher", "tls_version",
}  # fmt: skip
_DOCS_HINT = f"{help_on('configuration')} lists every key."


def search_path() -> list[Path]:
    """Return where the file is searched without ``--config`` and ``$REPLFIX_CONFIG``; the first one found counts."""
    home = os.environ.get("XDG_CONFIG_HOME", "")
    user = Path(home) if os.path.isabs(home) else Path.home() / ".config"
    return [working_directory(), user / "replfix" / FILE_NAME, Path("/etc/replfix") / FILE_NAME]


def read_config(path: str | None) -> tuple[Path | None, ConfigFile]:
    """Return the file that applies and its settings; (None, defaults) when there is none. ConfigError when it is wrong."""
    named = path or os.environ.get("REPLFIX_CONFIG")
    if named:
        file = Path(named).expanduser().absolute()
        text = read_text(file)
        if text is None:
            origin = "--config" if path else "$REPLFIX_CONFIG"
            raise ConfigError(f"{file} does not exist.", f"{origin} names it: correct the path.")
        return file, _parse(file, text)
    for file in search_path():
        text = read_text(file)
        if text is not None:
            config = _parse(file, text)
            if file == working_directory():
                _check_modest(file, config)
            return file, config
    return None, ConfigFile()


def working_directory() -> Path:
    """Return the file of the working directory, which nobody named: the directory may come from somebody else."""
    return Path(FILE_NAME).absolute()


def _check_modest(file: Path, config: ConfigFile) -> None:
    """``./`` never weakens TLS, and never chooses where the trail goes or which account is shown to whom."""
    found = [f"audit.{key}" for key in sorted(config.audit.model_fields_set)]
    for section, server in (
        ("defaults", config.defaults),
        *(((f"replicas.{name}"), each) for name, each in config.replicas.items()),
        *(((f"sources.{name}"), each) for name, each in config.sources.items()),
    ):
        modest = server.ssl_mode is None or server.ssl_mode not in (TlsMode.DISABLED, TlsMode.PREFERRED)
        given = server.model_fields_set - ({"ssl_mode"} if modest else set())
        found += [f"{section}.{key}" for key in sorted(given & _NOT_IN_PASSING)]
    found += [f"postgresql.{name}" for name in config.postgresql]
    if found:
        raise ConfigError(
            f"{file} was found in the working directory, and such a file does not choose: {', '.join(found)}.",
            f"If it is yours, name it: --config {shlex.quote(str(file))}, or $REPLFIX_CONFIG. Or move it to {search_path()[1]}.",
        )


def read_text(file: Path) -> str | None:
    """Return the file's text, None where there is no file. ConfigError where it cannot be trusted or read."""
    try:
        return own_files.read(file).decode()
    except own_files.Distrusted as why:
        raise ConfigError(f"{file} is not trusted. {why}", why.remedy) from None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file} is not UTF-8 (byte {error.start}).", "TOML files are UTF-8: convert it.") from None
    except OSError as error:
        raise ConfigError(f"Cannot read {file}: {error.strerror}.", "Make it readable, or name another file.") from None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a configuration file. ``place`` None: no line is to blame."""

    place: Place | None
    what: str
    """The key and what is wrong with it. Never a value: it may be a URL with a password in it."""
    hint: str

    def __str__(self) -> str:
        return self.what if self.place is None else f"line {self.place.line}, column {self.place.column}: {self.what}"


def _parse(file: Path, text: str) -> ConfigFile:
    config, problems = examined(text)
    if not problems:
        return config
    lines = [str(problem) for problem in problems]
    found = lines[0] if len(lines) == 1 else "\n  ".join([f"{len(lines)} problems", *lines])
    raise ConfigError(f"{file}: {found}", problems[0].hint)


def examined(text: str) -> tuple[ConfigFile, list[Problem]]:
    """Return the settings, and everything that is wrong with them: the settings count only where nothing is."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = _AT.search(str(error))
        place = Place(int(at[1]), int(at[2])) if at else None
        return ConfigFile(), [Problem(place, f"no TOML: {_AT.sub('', str(error)).strip()}.", "Correct that line.")]
    secrets = [
        Problem(place_of(text, path), f"{_dotted(path)}: replfix.toml must not contain passwords.", _ELSEWHERE)
        for path in _secrets(document, ())
    ]
    if secrets:
        return ConfigFile(), secrets
    try:
        config = ConfigFile.model_validate(document)
    except ValidationError as error:
        return ConfigFile(), [
            Problem(place_of(text, problem["loc"]), _problem(problem), _DOCS_HINT)
            for problem in error.errors(include_url=False, include_input=False)
        ]
    return config, list(_wrong_names(text, config))


def _secrets(value: object, path: tuple[int | str, ...]) -> Iterator[tuple[int | str, ...]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            # a table may be the name of a server, and that may be anything
            if _SECRET_KEY.search(key) and not isinstance(item, Mapping):
                yield (*path, key)
            yield from _secrets(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _secrets(item, (*path, number))


def _problem(problem: Any) -> str:
    location: tuple[int | str, ...] = problem["loc"]
    where = _dotted(location)
    if problem["type"] == "extra_forbidden":
        known = _keys_at(location[:-1])
        near = nearest(str(location[-1]), known)
        return f"{where}: unknown key; " + (f"did you mean {near!r}?" if near else f"known are {', '.join(known)}.")
    if problem["type"] == "missing":
        return f"{where}: missing, and it is required."
    message: str = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{where}: {message}."


def _dotted(location: Sequence[int | str]) -> str:
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part + 1}]"  # people count rules from one
        else:
            bare = re.fullmatch(r"[A-Za-z0-9_-]+", part)
            text += ("." if text else "") + (part if bare else f'"{part}"')
    return text


def _keys_at(location: Sequence[int | str]) -> list[str]:
    """Return the keys that the section at ``location`` may have."""
    kind: Any = ConfigFile
    for part in location:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[str(part)].annotation
        else:  # dict[name, section] or tuple[section, ...]
            kind = next(a for a in get_args(kind) if isinstance(a, type) and issubclass(a, BaseModel))
    return sorted(kind.model_fields)


def _wrong_names(text: str, config: ConfigFile) -> Iterator[Problem]:
    for name in sorted(config.postgresql.keys() & (config.sources.keys() | config.replicas.keys())):
        section = ("postgresql", name)
        yield Problem(
            place_of(text, section),
            f"{_dotted(section)}: the name {name!r} is that of a MySQL server too.",
            "Rename one of them.",
        )
    known = sorted(config.sources.keys() | config.replicas.keys())
    for name, replica in config.replicas.items():
        if replica.source is not None and replica.source not in known:
            path = ("replicas", name, "source")
            yield Problem(
                place_of(text, path),
                f"{_dotted(path)}: there is no source {replica.source!r}.",
                suggestion(replica.source, known) or "Add a [sources] section for it, or leave the key out.",
            )
