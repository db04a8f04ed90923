"""``replfix.config-show/1``, ``-path``, ``-check`` and ``-init``."""

from __future__ import annotations

from typing import Literal

from replfix.cli.documents.base import Document, Part


class SettingPart(Part):
    key: str  # as in replfix.toml: replicas.db2.host
    value: str | int | float | bool | None  # a password is *** or null
    origin: str  # a file, an option, the environment, or default


class ConfigShow(Document):
    schema_name: Literal["replfix.config-show/1"] = "replfix.config-show/1"
    path: str | None
    settings: list[SettingPart]


class LookedForPart(Part):
    path: str
    named_by: str
    state: Literal["used", "missing", "refused", "not_needed"]
    why: str


class ConfigPath(Document):
    schema_name: Literal["replfix.config-path/1"] = "replfix.config-path/1"
    used: str | None
    looked_for: list[LookedForPart]  # in their order


class ProblemPart(Part):
    line: int | None
    column: int | None
    message: str
    hint: str


class ConfigCheck(Document):
    schema_name: Literal["replfix.config-check/1"] = "replfix.config-check/1"
    path: str | None
    problems: list[ProblemPart]


class ConfigInit(Document):
    schema_name: Literal["replfix.config-init/1"] = "replfix.config-init/1"
    path: str
    replicas: list[str]  # their names in the file
    sources: list[str]
    not_seen: list[str]  # what could not be found out, and why
