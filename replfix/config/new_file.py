"""A new ``replfix.toml``, with comments; written so that it is whole or not there, and for its owner only."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from replfix.errors import ConfigError

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")


@dataclass(frozen=True, slots=True)
class NewServer:
    """A section. ``source``: the name of another one; ``sources``: the same by channel."""

    name: str
    host: str
    port: int
    socket: str | None = None
    source: str | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    comment: str = ""


def text_of(
    replicas: Sequence[NewServer],
    sources: Sequence[NewServer],
    defaults: Mapping[str, str],
    found_from: str,
    not_seen: Sequence[str],
) -> str:
    """Return the file's text. What could not be found out is in it as comments."""
    lines = [
        f"# replfix: written by 'replfix config init', from {_one_line(found_from)}.",
        "# All keys: replfix help configuration. Check it after a change: replfix config check",
        "",
        "[defaults]",
        *(f"{key} = {_quoted(value)}" for key, value in defaults.items()),
        "# Accounts come from ~/.my.cnf, or one of these; passwords never are in this file.",
        '# defaults_file = "~/.my.cnf"',
        '# login_path = "NAME"            # of mysql_config_editor',
        "# read_only = true               # refuse everything that writes",
        "",
        "# The audit trail is a file of this user. A shared one for a team, on a database server:",
        "# [audit]",
        '# url = "mysql://replfix@audit-host/replfix"',
    ]
    for section, servers in (("replicas", replicas), ("sources", sources)):
        for server in servers:
            lines += ["", *_section(section, server)]
    lines += ["", *(f"# Not found out: {_one_line(each)}" for each in not_seen)] if not_seen else []
    return "\n".join(lines) + "\n"


def _section(section: str, server: NewServer) -> list[str]:
    lines = [f"# {_one_line(server.comment)}"] if server.comment else []
    lines += [f"[{section}.{_key(server.name)}]", f"host = {_quoted(server.host)}"]
    if server.socket is not None:
        lines.append(f"socket = {_quoted(server.socket)}")
    elif server.port != 3306:
        lines.append(f"port = {server.port}")
    if server.source is not None:
        lines.append(f"source = {_quoted(server.source)}")
    if server.sources:
        pairs = ", ".join(f"{_key(channel)} = {_quoted(name)}" for channel, name in server.sources.items())
        lines.append(f"sources = {{ {pairs} }}")
    return lines


def _key(name: str) -> str:
    return name if _BARE.match(name) else _quoted(name)


def _quoted(text: str) -> str:
    """Return a basic string of TOML: JSON's escapes are among its own, but for DEL."""
    return json.dumps(text).replace("\x7f", "\\u007f")


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)


def write_new(file: Path, text: str, *, replace: bool) -> Path | None:
    """Write it with mode 0600; return where the old one is now, where there was one.

    FileExistsError where there is a file that must not be replaced; ConfigError where it cannot be written.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # mode 0600
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            kept = None
            if replace and file.exists():
                kept = file.with_name(f"{file.name}.before")
                os.replace(file, kept)
            os.link(temporary, file)  # fails where there is one by now
        finally:
            temporary.unlink()
    except FileExistsError:
        raise
    except OSError as error:
        raise ConfigError(f"Cannot write {file}: {error.strerror}.", "Name another file: --config FILE.") from None
    return kept
