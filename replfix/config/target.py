"""From names and URLs to addresses with accounts."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from replfix.config.client_files import groups, read_client_files, read_login_path, read_named
from replfix.config.model import ConfigFile, Policy, ServerSettings
from replfix.config.option_file import OptionFile
from replfix.config.read_config import read_config, working_directory
from replfix.core.connection.command_line import NOTHING_GIVEN, CommandLine, current
from replfix.core.connection.endpoint import DEFAULT_PORT, Account, Endpoint, Secret
from replfix.core.connection.limits import Limits
from replfix.core.connection.postgresql_server import PostgresqlServer, is_postgresql
from replfix.core.connection.sign_in import SignIn
from replfix.core.connection.tls import Tls
from replfix.core.words import suggestion
from replfix.errors import ConfigError, ReadOnly, UsageError

READ_ONLY = "REPLFIX_READ_ONLY"
_NO = ("", "0", "no", "off", "false")


NamedAt = Callable[[str, int], Endpoint | None]


@dataclass(frozen=True, slots=True)
class Target:
    """One replica to work on; ``source`` None: to be found from its status, ``channel`` None: not given."""

    name: str
    replica: Endpoint
    source: Endpoint | None
    channel: str | None
    sources: Mapping[str, Endpoint] = field(default_factory=dict)  # by channel, for a replica of several
    stands_in: str = ""
    """The server_uuid of a server other than the source that may be asked in its place."""
    named_at: NamedAt = field(default=lambda *_: None, compare=False, repr=False)
    """The server of that host and port, where the configuration names one."""


def _first_fitting(accounts: Iterable[Account]) -> Account:
    """Return the first user, and the first password that belongs to it: one without a user beside it belongs to any.

    A password is never sent for another user than the one that it is given with.
    """
    ordered = list(accounts)
    user = next((account.user for account in ordered if account.user is not None), None)
    fitting = (a.password for a in ordered if a.password is not None and a.user in (None, user))
    return Account(user, next(fitting, None))


class Config:
    """The configuration file with the accounts around it. Option files are read when an account needs one."""

    def __init__(
        self, path: Path | None, file: ConfigFile, *, named: bool, command_line: CommandLine = NOTHING_GIVEN
    ) -> None:
        self.path = path
        self.file = file
        self.named = named  # by --config or $REPLFIX_CONFIG
        self.command_line = command_line
        self._option_files: dict[tuple[str | None, str | None], OptionFile] = {}

    @property
    def audit_url(self) -> str | None:
        """Where the audit trail is, None for the default."""
        return self.file.audit.url

    @property
    def audit_account(self) -> Account:
        """For a trail on a MySQL or MariaDB server whose URL names no account."""
        return _first_fitting(self._environment_and_files(None))

    @property
    def audit_tls(self) -> Tls:
        """For a trail on a MySQL or MariaDB server, where its URL does not say."""
        return self._tls(None)

    @property
    def poll_seconds(self) -> float:
        """How often the TUI reads the status."""
        return self.file.defaults.poll_seconds

    @property
    def read_only(self) -> str:
        """Where it was asked for that nothing is written, for people; empty where it was not. Any place is enough."""
        if self.command_line.read_only:
            return "--read-only"
        if os.environ.get(READ_ONLY, "").strip().lower() not in _NO:
            return f"${READ_ONLY}"
        return f"read_only in {self.path}" if self.file.defaults.read_only else ""

    def check_may_write(self) -> None:
        """Raise ReadOnly where it was asked for that nothing is written."""
        if self.read_only:
            raise ReadOnly(self.read_only)

    @property
    def policy(self) -> Policy:
        """What may be resolved without a human."""
        return self.file.policy

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the option files read so far, without being an error."""
        return tuple(dict.fromkeys(warning for read in self._option_files.values() for warning in read.warnings))

    def target(
        self,
        name: str | None = None,
        replica_url: str | None = None,
        source_url: str | None = None,
        channel: str | None = None,
        source_uuid: str | None = None,
    ) -> Target:
        """Return the replica that the command line means.

        Without a name or URL it is the one that ``addressed`` gives, else the only one that is configured.
        ``source_url`` and ``channel`` come before what is configured. UsageError and its ConfigError say what is
        missing.
        """
        if name is not None or replica_url is not None:
            self.check_not_addressed("A name" if replica_url is None else "--replica")
        addressed = self.addressed() if name is None and replica_url is None else None
        if replica_url is not None:
            if name is not None:
                raise UsageError("A name and --replica were given.", "Give one of them.")
            target = self._unnamed(self._of_url(replica_url))
        elif addressed is not None:
            target = addressed
        else:
            target = self._configured(self._only_name() if name is None else name)
        if source_url is not None:
            target = replace(target, source=self._source(source_url, target.replica), sources={})
        target = replace(target, stands_in=source_uuid or "")
        return target if channel is None else replace(target, channel=channel)

    def postgresql(self, name: str | None, url: str | None) -> PostgresqlServer | None:
        """Return the PostgreSQL server that a name or URL means; None where it means none. UsageError for a wrong URL."""
        if url is not None:
            return PostgresqlServer.parse(url) if is_postgresql(url) else None
        settings = None if name is None else self.file.postgresql.get(name)
        return None if settings is None else PostgresqlServer.parse(settings.url)

    @property
    def postgresql_names(self) -> tuple[str, ...]:
        """The configured PostgreSQL servers."""
        return tuple(self.file.postgresql)

    def check_not_addressed(self, named_by: str) -> None:
        """Raise UsageError where options name a server, beside what ``named_by`` names."""
        if self.command_line.addresses:
            raise UsageError(f"{named_by} and {self.command_line.addresses[0]} were given.", "Give one of them.")

    @property
    def names_a_server(self) -> bool:
        """Whether the command line gives an address, itself or by an option file or login path that it names."""
        given = self.command_line
        if given.addresses or not given.names_files:
            return bool(given.addresses)
        read = self._option_file(None)
        return read.host is not None or read.socket is not None

    def addressed(self) -> Target | None:
        """Return the server that options of the mysql client name; None where they name none.

        ``-h``, ``-P`` and ``-S``; the address in an option file or login path that the command line names; and where
        no replica is configured, the host of the user's own option files.
        """
        given, read = self.command_line, self._option_file(None)
        only_place = not self.file.replicas and read.host is not None
        if not self.names_a_server and not only_place:
            return None
        host, port = given.host or read.host or "localhost", given.port or read.port or DEFAULT_PORT
        by_socket = host == "localhost" and given.port is None
        socket = given.socket or (read.socket if by_socket else None)
        endpoint = Endpoint(
            host,
            port,
            socket=socket,
            tls=self._tls(None),
            sign_in=given.sign_in.over(read.sign_in),
            limits=self._limits,
        )
        return self._unnamed(self._with_account(endpoint, *self._environment_and_files(None)))

    def _unnamed(self, replica: Endpoint) -> Target:
        return Target(name=str(replica), replica=replica, source=None, channel=None, named_at=self.endpoint_at)

    def targets(self) -> list[Target]:
        """Return the server that ``addressed`` gives, else every configured replica, in the order of the file."""
        addressed = self.addressed()
        return [self._configured(name) for name in self.file.replicas] if addressed is None else [addressed]

    def servers(self) -> list[Target]:
        """Return the server that ``addressed`` gives, else every configured one, replicas first."""
        addressed = self.addressed()
        return [*self.targets(), *(map(self.server, self.file.sources) if addressed is None else ())]

    def server(self, name: str) -> Target:
        """Return a configured server of either kind. Errors as ``target``."""
        if name in self.file.sources and name not in self.file.replicas:
            return Target(name, self._of_server(self.file.sources[name]), source=None, channel=None)
        return self._configured(name)

    def name_at(self, host: str, port: int) -> str | None:
        """Return the name under which the server of that address is configured."""
        known = {**self.file.sources, **self.file.replicas}
        return next((name for name, server in known.items() if (server.host, server.port) == (host, port)), None)

    def endpoint_at(self, host: str, port: int) -> Endpoint | None:
        """Return the configured server of that address, with its account."""
        name = self.name_at(host, port)
        return None if name is None else self.server(name).replica

    def _only_name(self) -> str:
        names = list(self.file.replicas)
        if len(names) == 1:
            return names[0]
        if names:
            raise UsageError("Which replica?", f"Give a name. Configured: {', '.join(names)}.")
        raise UsageError("Which replica? None is configured.", self._add_hint())

    def _add_hint(self) -> str:
        where = self.path or "replfix.toml"
        return f"Give --replica mysql://user@host:port, or add a [replicas.NAME] section to {where}."

    def _configured(self, name: str) -> Target:
        known = list(self.file.replicas)
        if name not in self.file.replicas:
            if "://" in name:  # a password may be in it, so it is not repeated
                raise UsageError("A URL was given where a name is expected.", "Give it with --replica URL.")
            raise ConfigError(f"No replica {name!r} is configured.", suggestion(name, known) or self._add_hint())
        settings = self.file.replicas[name]
        replica = self._of_server(settings)
        source = None if settings.source is None else self._source(settings.source, replica)
        by_channel = {channel: self._source(each, replica) for channel, each in settings.sources.items()}
        return Target(name, replica, source, settings.channel, by_channel, named_at=self.endpoint_at)

    def _source(self, name_or_url: str, replica: Endpoint) -> Endpoint:
        """Return a source by name or URL; without an account of its own it gets the replica's, and its TLS options too."""
        server = self.file.sources.get(name_or_url) or self.file.replicas.get(name_or_url)
        if server is None:
            return self._of_url(name_or_url, replica)
        if server.user is None and server.defaults_file is None and server.login_path is None:
            return self._address(server, server.tls(self._beside)).visited_as(replica)
        return self._of_server(server)

    def _of_url(self, url: str, replica: Endpoint | None = None) -> Endpoint:
        endpoint = Endpoint.parse(url)
        tls = endpoint.tls.over(self._tls(None) if replica is None else replica.tls)
        sign_in = endpoint.sign_in.over(self._sign_in(self._option_file(None)))
        return self._with_account(
            self._by_socket(replace(endpoint, tls=tls, sign_in=sign_in, limits=self._limits), self._option_file(None)),
            Account(endpoint.user, endpoint.password),
            *([Account(replica.user, replica.password)] if replica else []),
            *self._environment_and_files(None),
        )

    def _of_server(self, server: ServerSettings) -> Endpoint:
        read = self._option_file(server)
        address = self._by_socket(self._address(server, self._tls(server)), read)
        address = replace(address, sign_in=address.sign_in.over(self._sign_in(read)))
        return self._with_account(address, *self._environment_and_files(server))

    def beside(self, name: str) -> Path:
        """Return a file that the configuration names; a relative path is relative to ``replfix.toml``."""
        return self._beside / Path(name).expanduser()

    @property
    def _beside(self) -> Path:
        return self.path.parent if self.path is not None else Path()

    def _address(self, server: ServerSettings, tls: Tls) -> Endpoint:
        socket = None if server.socket is None else str(self._beside / Path(server.socket).expanduser())
        in_passing = str(self.path) if self.path == working_directory() and not self.named else ""
        return Endpoint(
            server.host,
            server.port,
            socket=socket,
            tls=tls,
            sign_in=server.sign_in(self._beside),
            limits=self._limits,
            found_in=in_passing,
        )

    @property
    def _limits(self) -> Limits:
        given = self.file.limits
        return Limits(
            given.transaction_rows,
            given.transaction_values,
            given.transaction_bytes,
            given.answer_bytes,
            given.diagnose_seconds,
        )

    def _by_socket(self, endpoint: Endpoint, read: OptionFile) -> Endpoint:
        """Connect to ``localhost`` by socket, as the MySQL clients do, unless another port is given."""
        if endpoint.socket is not None or (endpoint.host, endpoint.port) != ("localhost", DEFAULT_PORT):
            return endpoint
        return replace(endpoint, socket=read.socket)

    def _tls(self, server: ServerSettings | None) -> Tls:
        """Return the TLS options: each from the strongest source that has it."""
        given, read = self.command_line, self._option_file(server)
        configured = self.file.defaults.tls(self._beside)
        if server is not None:
            configured = server.tls(self._beside).over(configured)
        return given.tls.over(read.tls.over(configured) if given.names_files else configured.over(read.tls))

    def _sign_in(self, read: OptionFile) -> SignIn:
        """Return what any named server may ask for. Clear text is allowed by name of the server only."""
        return replace(self.command_line.sign_in, enable_cleartext_plugin=None).over(read.sign_in)

    def _with_account(self, endpoint: Endpoint, *accounts: Account) -> Endpoint:
        account = _first_fitting(accounts)
        return replace(endpoint, user=account.user, password=account.password)

    def _environment_and_files(self, server: ServerSettings | None) -> list[Account]:
        """Return the sources of the account, the strongest first."""
        return [account for _, account in self.accounts(server)]

    def accounts(self, server: ServerSettings | None) -> list[tuple[str, Account]]:
        """Return what may give user and password of that server, by its name for people, the strongest first."""
        given, read = self.command_line, self._option_file(server)
        password, fallback = os.environ.get("REPLFIX_PASSWORD"), os.environ.get("MYSQL_PWD")
        in_environment = Account(os.environ.get("REPLFIX_USER") or None, None if password is None else Secret(password))
        from_files = ("option files", Account(read.user, read.password))
        found = [
            ("the command line", Account(given.user)),
            *([from_files] if given.names_files else []),
            ("the environment", in_environment),
            (str(self.path), Account(server.user if server else None)),
            (f"[defaults] of {self.path}", Account(self.file.defaults.user)),
            from_files,
            ("$MYSQL_PWD", Account(None, None if fallback is None or read.asks else Secret(fallback))),
        ]
        if not given.ask_password:
            return found
        return [*((name, Account(account.user)) for name, account in found), ("this login", Account(getpass.getuser()))]

    def _option_file(self, server: ServerSettings | None) -> OptionFile:
        """Return the option files that the command line names, else those of one server, of [defaults], or the user's own."""
        for of in (None,) if self.command_line.names_files else (server, self.file.defaults):
            if of is not None and (of.defaults_file is not None or of.login_path is not None):
                key = (of.defaults_file, of.login_path)
                break
        else:
            key = (None, None)
        if key not in self._option_files:
            self._option_files[key] = self._read_option_files(*key)
        return self._option_files[key]

    def _read_option_files(self, name: str | None, login_path: str | None) -> OptionFile:
        if name is None:
            return read_client_files(self.command_line, login_path)
        wanted = groups(self.command_line)
        beside = self.path.parent if self.path is not None else None  # where it is relative
        read = read_named(name, "defaults_file", wanted, beside)
        return read if login_path is None else read_login_path(login_path, wanted).over(read)


def load(path: str | None = None) -> Config:
    """Return the configuration that applies: ``path`` (``--config``), else what the search finds, else the defaults."""
    named = bool(path or os.environ.get("REPLFIX_CONFIG"))
    return Config(*read_config(path), named=named, command_line=current())
