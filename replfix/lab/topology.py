"""A source and its replicas, from nothing to running and back to nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from replfix.errors import ConfigError, UsageError
from replfix.lab import containers, flavours, lab_accounts, lab_state, native, processes, replicate, topologies
from replfix.lab.flavours import ChannelState
from replfix.lab.lab_accounts import REPL
from replfix.lab.lab_state import HOST, LabServer, Role, State
from replfix.lab.narration import Narrator, Quiet
from replfix.lab.provision.choose_provision import Provision, provision
from replfix.lab.provision.docker import Image
from replfix.lab.provision.software import Software
from replfix.lab.replicate import channel_state
from replfix.lab.shared_files import cache_directory, labs_directory, locked, write_whole
from replfix.lab.template import template
from replfix.lab.topologies.topology import PAIR, Topology
from replfix.lab.topologies.wiring import disconnect, follow, protect, set_gtid_mode

DEFAULT_NAME = "default"
MOST_REPLICAS = 8
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}\Z")


@dataclass(frozen=True, slots=True)
class ServerState:
    """The state of one server. ``channel`` is None for the source and for a server that is down."""

    server: LabServer
    up: bool
    version: str | None
    read_only: bool | None
    super_read_only: bool | None  # None on servers that have no such variable, too
    channel: ChannelState | None


@dataclass(frozen=True, slots=True)
class Lab:
    """A running lab: one source and its replicas, or another topology, on the loopback."""

    name: str
    directory: Path
    provision: Provision
    servers: tuple[LabServer, ...]

    topology: str = PAIR.name

    @property
    def source(self) -> LabServer:
        """The first server that an application writes to."""
        return next(s for s in self.servers if s.role.writes)

    @property
    def replicas(self) -> tuple[LabServer, ...]:
        """The servers that have a channel."""
        return tuple(s for s in self.servers if s.role.follows)

    @property
    def replica(self) -> LabServer:
        """The first replica: the one that scenarios break."""
        return self.replicas[0]

    @property
    def config_file(self) -> Path:
        """A ``replfix.toml`` that names every server of the lab."""
        return self.directory / "replfix.toml"

    @classmethod
    def load(cls, name: str = DEFAULT_NAME) -> Lab:
        """Return the lab of that name; ConfigError when there is none. Its servers may be down: see ``states``."""
        directory = directory_of(name)
        known = lab_state.read(directory)
        if known is None:
            if directory.exists():
                raise ConfigError(
                    f"The lab {name!r} is half made, or its {lab_state.state_file(directory).name} is damaged.",
                    f"Remove it with: replfix lab down{_name_option(name)}",
                )
            raise ConfigError(f"There is no lab {name!r}.", f"Start it with: replfix lab up{_name_option(name)}")
        return cls._of(known)

    @classmethod
    def _of(cls, known: State) -> Lab:
        return cls(known.name, known.directory, known.provision, known.servers, known.topology)

    def states(self) -> tuple[ServerState, ...]:
        """Return the state of each server."""
        return tuple(_state(server) for server in self.servers)

    def wait_until_applied(self, replica: LabServer | None = None) -> None:
        """Wait until the replica (all of them, if none is named) has executed all that the source has."""
        for each in (replica,) if replica else self.replicas:
            replicate.wait_until_applied(self.source, each)

    def reset(self) -> None:
        """Make the servers as good as new, in place: no schemas, no GTIDs, channels running."""
        arrange = topologies.find(self.topology).arrange
        if arrange is not None:
            arrange(self.servers)
            return
        replicate.reset(self.source, self.replicas, (account.name for account in lab_accounts.ALL))

    def arranged(self, topology: str | None = None, *, as_shipped: bool = False) -> Lab:
        """Return the same servers, or the first of them, connected as that topology.

        As good as new, channels running, with the settings that they ship with or that a lab chooses. What the lab is
        on disk stays.
        """
        chosen = topologies.find(topology or self.topology)
        roles = chosen.servers or tuple((server.name, server.role) for server in self.servers)
        if len(roles) > len(self.servers):
            raise UsageError(f"The topology {chosen.name} has {len(roles)} servers.", "Take a lab of as many.")
        servers = tuple(
            replace(server, name=name, role=role, as_shipped=as_shipped)
            for server, (name, role) in zip(self.servers, roles, strict=False)
        )
        lab = replace(self, servers=servers, topology=chosen.name)
        disconnect(replace(server, as_shipped=as_shipped) for server in self.servers)
        set_gtid_mode(self.servers, "ON")
        if chosen.arrange is not None:
            chosen.arrange(servers)
        else:
            for replica in lab.replicas:
                follow(replica, lab.source)
                protect(replica)
        for replica in lab.replicas:
            _wait_until_receiving(replica)
        _write_configuration(lab)
        return lab

    def down(self, narrator: Narrator | None = None) -> None:
        """End its servers and remove it."""
        down(self.name, narrator)


def directory_of(name: str) -> Path:
    """Return where the lab of that name keeps everything; UsageError when the name cannot be one."""
    if not _NAME.match(name):
        raise UsageError(
            f"{name[:60]!r} cannot be the name of a lab.", "Use lower-case letters, digits, '-' and '_' (41 at most)."
        )
    return labs_directory() / name


def _name_option(name: str) -> str:
    return "" if name == DEFAULT_NAME else f" --name {name}"


def _lock(directory: Path, narrator: Narrator) -> AbstractContextManager[None]:
    def on_wait() -> None:
        narrator.say(f"Another replfix works on the lab {directory.name!r}: waiting.")

    return locked(directory.parent / f".{directory.name}.lock", on_wait, remove=True)


def up(
    name: str = DEFAULT_NAME,
    replicas: int | None = None,
    mysqld: str | None = None,
    narrator: Narrator | None = None,
    server: str | None = None,
    topology: str | None = None,
    as_shipped: bool = False,
) -> Lab:
    """Start the lab of that name: a source and ``replicas`` (default 1) replicas with running channels.

    ``server`` is the name of a flavour (default MySQL), ``topology`` of another way to connect servers, which says how
    many there are. ``as_shipped``: with the replication settings that the servers ship with.

    A lab that is up already is left as it is; of one with dead servers (a crash, a reboot) the dead ones are started
    again. Whatever ends ``up`` before its time, Ctrl-C too, also ends and removes what it had begun.

    Errors: UsageError for a name or number that cannot be, ConfigError when there is no server program, ConnectError
    when a server does not start.
    """
    narrator = narrator or Quiet()
    directory = directory_of(name)
    flavour = flavours.find(server or flavours.DEFAULT)
    wanted = topologies.find(topology or PAIR.name)
    if wanted.servers and replicas is not None:
        raise UsageError(f"The topology {wanted.name} has {len(wanted.servers)} servers.", "Leave --replicas out.")
    if replicas is not None and not 1 <= replicas <= MOST_REPLICAS:
        raise UsageError(f"A lab has 1 to {MOST_REPLICAS} replicas, not {replicas}.", "Use --replicas N.")
    try:
        with _lock(directory, narrator):
            known = lab_state.read(directory)
            if known is not None:
                if topology is not None and topology != known.topology:
                    raise UsageError(
                        f"The lab {name!r} has the topology {known.topology}, not {topology}.",
                        f"End it first: replfix lab down{_name_option(name)}",
                    )
                if as_shipped and not known.servers[0].as_shipped:
                    raise UsageError(
                        f"The servers of the lab {name!r} do not have the settings that they ship with.",
                        f"End it first: replfix lab down{_name_option(name)}",
                    )
                return _again(known, replicas, server, narrator)
            if directory.exists():
                narrator.say(f"Removing what an interrupted run left of the lab {name!r}.")
                _remove(directory, None, narrator)
            chosen = provision(flavour, mysqld, narrator)
            try:
                return _new(name, directory, chosen, wanted, replicas or 1, as_shipped, narrator)
            except BaseException:
                _remove(directory, chosen, narrator)
                raise
    finally:
        _remove_empty_parents(directory)


def _again(known: State, replicas: int | None, server: str | None, narrator: Narrator) -> Lab:
    lab = Lab._of(known)
    if server is not None and server != lab.provision.flavour.name:
        raise UsageError(
            f"The lab {lab.name!r} has the servers of {lab.provision.flavour.name}, not of {server}.",
            f"End it first: replfix lab down{_name_option(lab.name)}",
        )
    if replicas is not None and replicas != len(lab.replicas):
        raise UsageError(
            f"The lab {lab.name!r} has {len(lab.replicas)} replica(s), not {replicas}.",
            f"End it first: replfix lab down{_name_option(lab.name)}",
        )
    dead = tuple(server for server in lab.servers if not _is_up(server))
    if not dead:
        narrator.say(f"The lab {lab.name!r} is up already.")
        return lab
    narrator.say(f"Starting again what is down: {', '.join(server.name for server in dead)}.")
    if isinstance(known.provision, Software):
        # One that hangs, or whose start was interrupted, locks the data directory.
        held = {server.data for server in dead}
        native.end({d: ref for d, ref in processes.servers_under(lab.directory).items() if d in held}, narrator)
        # A port is part of the replicas' channels and of replfix.toml: it stays.
        started = {s.name: s for s in native.start(dead, known.provision, may_change_port=False)}
    else:
        containers.restart(dead)
        started = {}
    known = replace(known, servers=tuple(started.get(s.name, s) for s in known.servers))
    known.save()
    return Lab._of(known)


def _new(
    name: str,
    directory: Path,
    chosen: Provision,
    topology: Topology,
    replicas: int,
    as_shipped: bool,
    narrator: Narrator,
) -> Lab:
    directory.mkdir(parents=True, mode=0o700)
    names = topology.servers or (
        ("source", Role.SOURCE),
        *((f"replica{n}", Role.REPLICA) for n in range(1, replicas + 1)),
    )
    ports = native.free_ports(len(names))
    servers = tuple(
        LabServer(each, role, port, number, directory / each, as_shipped=as_shipped)
        for number, ((each, role), port) in enumerate(zip(names, ports, strict=True), start=1)
    )
    network = None
    if isinstance(chosen, Software):
        made = template(chosen, cache_directory(), narrator)
        with ThreadPoolExecutor(max_workers=4) as pool:
            list(pool.map(lambda server: native.prepare(server, made), servers))
        servers = native.start(servers, chosen, may_change_port=True)
        source_address = (HOST, servers[0].port)
    else:
        servers, network = containers.start(servers, chosen, directory)
        source_address = (servers[0].name, containers.PORT)
    lab = Lab(name, directory, chosen, servers, topology.name)
    if topology.arrange is not None:
        topology.arrange(servers)
    else:
        for replica in lab.replicas:
            with replica.session() as session:
                chosen.flavour.configure_channel(session, *source_address, REPL)
                chosen.flavour.start_channel(session)
        lab.wait_until_applied()
    for replica in lab.replicas:
        _wait_until_receiving(replica)
    _write_configuration(lab)
    # Last: a lab with a state file is complete. Until then `down` finds the servers by their command lines.
    State(name, directory, chosen, servers, network, topology.name).save()
    return lab


def _wait_until_receiving(replica: LabServer) -> None:
    """Wait until the receiver is connected, a moment after START REPLICA; with nothing to fetch, only its state shows it."""
    import time

    deadline = time.monotonic() + replicate.WAIT_SECONDS
    while time.monotonic() < deadline:
        with replica.session() as session:
            flavour = flavours.speaking(session)
            found = [flavour.channel_state(session, channel) for channel in flavour.channels(session)]
        if found and all(lab_state and lab_state.receiver_running and lab_state.applier_running for lab_state in found):
            return
        time.sleep(0.02)
    said = " ".join(lab_state.receiver_message for lab_state in found if lab_state)
    raise ConfigError(f"A channel of {replica} does not come up: {said or 'there is no error'}")


def _write_configuration(lab: Lab) -> None:
    options = lab.directory / "my.cnf"
    account = lab_accounts.REPLFIX
    write_whole(options, f"[client]\nuser={account.name}\npassword={account.password}\n", mode=0o600)
    lines = ["[defaults]", f"defaults_file = {_toml(str(options))}", "poll_seconds = 1.0", ""]
    for replica in lab.replicas:
        lines += [
            f"[replicas.{replica.name}]",
            f"host = {_toml(replica.host)}",
            f"port = {replica.port}",
            f"user = {_toml(account.name)}",
            # In other topologies, the replica's own status shows it.
            *([f"source = {_toml(lab.source.name)}"] if lab.topology == PAIR.name else []),
            "",
        ]
    # No account is shown to a server that is only found, in the replica's own status.
    for source in (server for server in lab.servers if not server.role.follows):
        lines += [f"[sources.{source.name}]", f"host = {_toml(source.host)}", f"port = {source.port}",
                  f"user = {_toml(account.name)}", ""]  # fmt: skip
    # What is tried on a lab stays out of the user's own trail, and goes with the lab.
    lines += ["[audit]", f"url = {_toml(f'sqlite:///{lab.directory}/audit.db')}", ""]
    write_whole(lab.config_file, "\n".join(lines), mode=0o644)


def _toml(text: str) -> str:
    """Return a TOML basic string: JSON's escapes are a part of TOML's."""
    import json

    return json.dumps(text, ensure_ascii=False)


def down(name: str = DEFAULT_NAME, narrator: Narrator | None = None) -> bool:
    """End the lab of that name and remove all that it left. False when there was none.

    Ends only servers that run on this lab's own data directories: the numbers in the state file are trusted only where
    start time and command line agree. Works on half-started labs and with a missing or damaged state file.
    """
    narrator = narrator or Quiet()
    directory = directory_of(name)
    if not labs_directory().exists():
        return False
    with _lock(directory, narrator):
        known = lab_state.read(directory)
        there = directory.exists() or bool(processes.servers_under(directory))
        _remove(directory, known.provision if known else None, narrator)
    _remove_empty_parents(directory)
    return there


def _remove_empty_parents(directory: Path) -> None:
    for parent in (directory.parent, directory.parent.parent):
        with suppress(OSError):  # not empty: other labs, or an audit trail
            parent.rmdir()


def names() -> list[str]:
    """Return the labs that there are, complete or not."""
    directory = labs_directory()
    return sorted(p.name for p in directory.iterdir() if p.is_dir()) if directory.exists() else []


def _remove(directory: Path, chosen: Provision | None, narrator: Narrator) -> None:
    known = lab_state.read(directory)
    mine = processes.servers_under(directory)
    for server in known.servers if known else ():
        if server.process is not None and processes.alive(server.process, server.data):
            mine[server.data] = server.process
    native.end(mine, narrator)
    # With no state at all the script for the containers shows that there were some.
    if isinstance(chosen, Image) or (directory / "accounts.sql").exists():
        containers.remove(directory)
    shutil.rmtree(native.short_directory(directory), ignore_errors=True)
    if directory.exists():
        shutil.rmtree(directory)


def _is_up(server: LabServer) -> bool:
    if server.container is not None:
        return containers.is_up(server)
    return native.is_up(server)


def _state(server: LabServer) -> ServerState:
    if not _is_up(server):
        return ServerState(server, False, None, None, None, None)
    with server.session() as session:
        read_only, super_read_only = flavours.speaking(session).read_only(session)
        channel = channel_state(session) if server.role.follows else None
        return ServerState(server, True, session.server_version, read_only, super_read_only, channel)


def require_running(lab: Lab) -> None:
    """ConfigError when a server of the lab is down."""
    dead: Iterable[LabServer] = [s for s in lab.servers if not _is_up(s)]
    if dead:
        raise ConfigError(
            f"Down: {', '.join(str(s) for s in dead)}.", f"Start again with: replfix lab up{_name_option(lab.name)}"
        )
