"""The shape of ``replfix.toml``. Nothing in it is a secret: keys for passwords do not exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StringConstraints,
    model_validator,
)

from replfix.core.connection.limits import LIMITS
from replfix.core.connection.postgresql_server import PostgresqlServer
from replfix.core.connection.sign_in import SignIn
from replfix.core.connection.tls import Tls, TlsMode, checked_versions, mode_of
from replfix.errors import UsageError

_TABLE_PATTERN = re.compile(r"[^.\s]+\.[^.\s]+\Z")


def _host(text: str) -> str:
    if not text or re.search(r"[\s/@]", text):
        raise ValueError("write the host's name or address only; port and user have keys of their own")
    return text


def _table_pattern(text: str) -> str:
    if not _TABLE_PATTERN.match(text):
        raise ValueError('write schema.table, with * for any, as in "shop.*"')
    return text


def _postgresql_url(text: str) -> str:
    try:
        server = PostgresqlServer.parse(text)
    except UsageError as error:
        raise ValueError(error.message) from None
    if server.has_password:
        raise ValueError("a password has no place here: put it into ~/.pgpass, or a file that passfile= names")
    return text


Name = Annotated[str, StringConstraints(min_length=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Encrypted(_Section):
    ssl_mode: Annotated[TlsMode, BeforeValidator(lambda text: mode_of(str(text)))] | None = None
    ssl_ca: Name | None = None
    ssl_capath: Name | None = None
    ssl_cert: Name | None = None
    ssl_key: Name | None = None
    ssl_cipher: Name | None = None
    tls_version: Annotated[Name, AfterValidator(checked_versions)] | None = None

    def tls(self, beside: Path) -> Tls:
        """With files that are relative looked for in ``beside``."""

        def file(name: str | None) -> str | None:
            return None if name is None else str(beside / Path(name).expanduser())

        return Tls(
            ssl_mode=self.ssl_mode,
            ssl_ca=file(self.ssl_ca),
            ssl_capath=file(self.ssl_capath),
            ssl_cert=file(self.ssl_cert),
            ssl_key=file(self.ssl_key),
            ssl_cipher=self.ssl_cipher,
            tls_version=self.tls_version,
        )


class Defaults(_Encrypted):
    """``[defaults]``: for every server that does not set them itself."""

    defaults_file: Name | None = None  # a MySQL option file, for every server that names none itself
    login_path: Name | None = None  # of ~/.mylogin.cnf, likewise
    poll_seconds: Annotated[StrictFloat, Field(ge=0.1, le=3600)] = 1.0
    read_only: StrictBool = False
    user: Name | None = None


class ServerSettings(_Encrypted):
    """How one server is connected to."""

    host: Annotated[str, AfterValidator(_host)]
    port: Annotated[StrictInt, Field(ge=1, le=65535)] = 3306
    socket: Name | None = None
    user: Name | None = None
    defaults_file: Name | None = None
    login_path: Name | None = None
    enable_cleartext_plugin: StrictBool | None = None
    get_server_public_key: StrictBool | None = None
    server_public_key_path: Name | None = None

    def sign_in(self, beside: Path) -> SignIn:
        """With a file that is relative looked for in ``beside``."""
        path = self.server_public_key_path
        return SignIn(
            self.enable_cleartext_plugin,
            self.get_server_public_key,
            None if path is None else str(beside / Path(path).expanduser()),
        )


class Replica(ServerSettings):
    """``[replicas.NAME]``."""

    source: Name | None = None  # a name from [sources] or [replicas]; else found from the replica's own status
    sources: dict[str, Name] = {}  # the same by channel, for a replica of several sources
    channel: str | None = None  # '' is the default channel


class PostgresqlSettings(_Section):
    """``[postgresql.NAME]``: a server that ``explain`` asks. libpq adds what the URL leaves out."""

    url: Annotated[Name, AfterValidator(_postgresql_url)]


class Audit(_Section):
    """``[audit]``: where the trail is, its keys and its anchors."""

    url: Name | None = None
    key_file: Name | None = None
    key_command: Name | None = None
    verify_keys: tuple[Name, ...] = ()
    anchor: tuple[Name, ...] = ()
    signed_from: Annotated[StrictInt, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_key(self) -> Audit:
        if self.key_file is not None and self.key_command is not None:
            raise ValueError("audit.key_file and audit.key_command name two keys: give one of them")
        return self


class LimitsSection(_Section):
    """``[limits]``: how much a server may send, and how long a diagnosis may take."""

    transaction_rows: Annotated[StrictInt, Field(ge=1)] = LIMITS.rows
    transaction_values: Annotated[StrictInt, Field(ge=1)] = LIMITS.values
    transaction_bytes: Annotated[StrictInt, Field(ge=1 << 20)] = LIMITS.bytes
    answer_bytes: Annotated[StrictInt, Field(ge=1 << 20)] = LIMITS.answer_bytes
    diagnose_seconds: Annotated[StrictInt, Field(ge=1)] = LIMITS.diagnose_seconds


class PolicyRule(_Section):
    """One rule: it matches a conflict that fits every key given here."""

    tables: tuple[Annotated[str, AfterValidator(_table_pattern)], ...] = ("*.*",)
    errors: tuple[StrictInt, ...] = ()  # empty: any
    causes: tuple[Name, ...] = ()  # empty: any
    strategy: Literal["source-wins", "keep-both", "replica-wins", "skip"]
    max_rows: Annotated[StrictInt, Field(ge=1)] | None = None


class PolicyLimits(_Section):
    """``[policy.limits]``."""

    per_hour: Annotated[StrictInt, Field(ge=0)] | None = None


class Policy(_Section):
    """``[policy]``: what may be resolved without a human."""

    rule: tuple[PolicyRule, ...] = ()
    limits: PolicyLimits = PolicyLimits()


class Tui(_Section):
    """``[tui]``: the terminal UI. Its themes and keys are checked when it starts."""

    theme: Name | None = None  # $REPLFIX_THEME comes first
    bell: StrictBool = False  # when a channel stops
    desktop: Literal["off", "osc9", "osc777"] = "off"  # a notification of the desktop, likewise
    keys: dict[Name, Name] = {}  # by the action's name


class ConfigFile(_Section):
    """The whole of ``replfix.toml``."""

    defaults: Defaults = Defaults()
    replicas: dict[Name, Replica] = {}
    sources: dict[Name, ServerSettings] = {}
    postgresql: dict[Name, PostgresqlSettings] = {}
    audit: Audit = Audit()
    limits: LimitsSection = LimitsSection()
    policy: Policy = Policy()
    tui: Tui = Tui()
