"""The settings that are in effect, each with its origin. Of a password only where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from replfix.config.model import Replica, ServerSettings
from replfix.config.target import Config
from replfix.core.binlog.secrets import without_passwords

DEFAULT = "default"
HIDDEN = "***"
Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Setting:
    """One key, as ``replfix.toml`` would have it, and where its value comes from."""

    key: str
    value: Value
    origin: str


def effective(config: Config) -> Iterator[Setting]:
    """Yield the settings: general ones, then each replica and source, then the policy."""
    file, where = config.file, str(config.path)
    yield from _section("defaults", file.defaults, where, without=("read_only",))
    yield Setting("defaults.read_only", bool(config.read_only), config.read_only or DEFAULT)
    if file.audit.url is None:
        from replfix.own_files import state_directory

        yield Setting("audit.url", f"sqlite:///{state_directory() / 'audit.db'}", DEFAULT)
    yield from _section("audit", file.audit, where)
    yield from _section("limits", file.limits, where)
    for name, replica in file.replicas.items():
        yield from _server(config, f"replicas.{name}", name, replica)
    for name, source in file.sources.items():
        yield from _server(config, f"sources.{name}", name, source)
    for name, server in file.postgresql.items():
        yield Setting(f"postgresql.{name}.url", _shown(server.url), where)
    for number, rule in enumerate(file.policy.rule, 1):
        yield from _section(f"policy.rule[{number}]", rule, where)
    yield from _section("policy.limits", file.policy.limits, where)


def _section(name: str, section: BaseModel, where: str, without: tuple[str, ...] = ()) -> Iterator[Setting]:
    """Yield what is given, and what has a default."""
    for key in type(section).model_fields:
        value, given = _shown(getattr(section, key)), key in section.model_fields_set
        if key not in without and (given or value not in (None, "")):
            yield Setting(f"{name}.{key}", value, where if given else DEFAULT)


def _server(config: Config, section: str, name: str, server: ServerSettings) -> Iterator[Setting]:
    where = str(config.path)
    endpoint = config.server(name).replica
    yield Setting(f"{section}.host", server.host, where)
    yield Setting(f"{section}.port", server.port, where if "port" in server.model_fields_set else DEFAULT)
    if endpoint.socket is not None:
        yield Setting(f"{section}.socket", endpoint.socket, where if server.socket else "option files")
    accounts = config.accounts(server)
    users = [(origin, account.user) for origin, account in accounts if account.user is not None]
    origin, user = users[0] if users else (DEFAULT, None)
    yield Setting(f"{section}.user", user, origin)
    passwords = [o for o, a in accounts if a.password is not None and a.user in (None, user)]
    yield Setting(
        f"{section}.password", HIDDEN if passwords else None, passwords[0] if passwords else "asked for at a terminal"
    )
    mode_origin = (
        where
        if "ssl_mode" in server.model_fields_set
        else "options or [defaults]"
        if endpoint.tls.ssl_mode is not None
        else DEFAULT
    )
    yield Setting(f"{section}.ssl_mode", str(endpoint.tls.mode), mode_origin)
    if isinstance(server, Replica):
        yield Setting(
            f"{section}.source", server.source, where if server.source else "found from the replica's own status"
        )
    shown = {"host", "port", "socket", "user", "ssl_mode", "source"}
    for key in sorted(server.model_fields_set - shown):
        yield Setting(f"{section}.{key}", _shown(getattr(server, key)), where)


def _shown(value: Any) -> Value:
    if isinstance(value, dict):
        return ", ".join(f"{key or '(default)'}: {each}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return without_passwords(value) if isinstance(value, str) else value
