"""What a lab is made of, on disk: enough to find it again, to restart it and to end it, also after a reboot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replfix.core.connection.endpoint import Endpoint
from replfix.lab.lab_accounts import ADMIN, REPLFIX, Account
from replfix.lab.processes import ProcessRef
from replfix.lab.provision.docker import Image
from replfix.lab.provision.software import Software
from replfix.lab.shared_files import write_whole
from replfix.mysql.connection.session import Session

if TYPE_CHECKING:
    from replfix.lab.flavours import Flavour

SCHEMA = "replfix.lab-state/1"
HOST = "127.0.0.1"


class Role(StrEnum):
    """The role of a server in a lab."""

    SOURCE = "source"
    REPLICA = "replica"
    PRIMARY = "primary"  # follows another server, and is written to itself

    @property
    def follows(self) -> bool:
        """Has a channel."""
        return self is not Role.SOURCE

    @property
    def writes(self) -> bool:
        """Is open for an application's writes, and followed by another server."""
        return self is not Role.REPLICA


@dataclass(frozen=True, slots=True)
class LabServer:
    """One server of a lab: a process of ours (``process``) or a container (``container``, its id)."""

    name: str  # "source", "replica1", …
    role: Role
    port: int  # on the loopback
    server_id: int
    directory: Path  # of its data, log and temporary files
    process: ProcessRef | None = None
    container: str | None = None
    as_shipped: bool = False  # without what a lab sets otherwise than the server ships with

    @property
    def host(self) -> str:
        """The address that it listens on."""
        return HOST

    @property
    def data(self) -> Path:
        """Its data directory."""
        return self.directory / "data"

    @property
    def log(self) -> Path:
        """Its error log."""
        return self.directory / "error.log"

    def own_options(self, flavour: Flavour) -> tuple[str, ...]:
        """Return the options that differ from server to server."""
        chosen = {} if self.as_shipped else flavour.chosen(self.server_id)
        return (f"--server-id={self.server_id}", *(f"--{name}={value}" for name, value in chosen.items()))

    def endpoint(self, account: Account = REPLFIX) -> Endpoint:
        """Return its address with an account."""
        return account.at(self.host, self.port)

    def url(self, account: Account = REPLFIX) -> str:
        """``mysql://user:password@host:port``, as the command line takes it."""
        return f"mysql://{account.name}:{account.password}@{self.host}:{self.port}"

    def session(self, account: Account = ADMIN) -> Session:
        """Connect as the lab's admin, or as the account named; ConnectError when the server is down."""
        return Session(self.endpoint(account), limited=False)

    def __str__(self) -> str:
        return f"{self.name} ({self.host}:{self.port})"


@dataclass(frozen=True, slots=True)
class State:
    """The content of ``lab.json``. ``network`` is the containers' network (its id), None without containers."""

    name: str
    directory: Path
    provision: Software | Image
    servers: tuple[LabServer, ...]
    network: str | None = None
    topology: str = "pair"

    def save(self) -> None:
        """Write the state file, whole or not at all."""
        write_whole(state_file(self.directory), json.dumps(self._as_json(), indent=2) + "\n")

    def _as_json(self) -> dict[str, Any]:
        provision: dict[str, Any]
        if isinstance(self.provision, Software):
            provision = {"software": self.provision.as_json()}
        else:
            provision = {"image": self.provision.as_json()}
        return {
            "schema": SCHEMA,
            "name": self.name,
            "provision": provision,
            "network": self.network,
            "topology": self.topology,
            "servers": [
                {
                    "name": s.name,
                    "role": s.role.value,
                    "port": s.port,
                    "server_id": s.server_id,
                    "process": {"pid": s.process.pid, "started": s.process.started} if s.process else None,
                    "container": s.container,
                    "as_shipped": s.as_shipped,
                }
                for s in self.servers
            ],
        }


def state_file(directory: Path) -> Path:
    """Return where a lab's state is."""
    return directory / "lab.json"


def read(directory: Path) -> State | None:
    """Return the state of the lab in ``directory``; None when there is none or when it is not readable."""
    try:
        data = json.loads(state_file(directory).read_text(encoding="utf-8"))
        if data["schema"] != SCHEMA:
            return None
        provision = data["provision"]
        return State(
            name=str(data["name"]),
            directory=directory,
            provision=(
                Software.from_json(provision["software"])
                if "software" in provision
                else Image.from_json(provision["image"])
            ),
            servers=tuple(_server(directory, s) for s in data["servers"]),
            network=data["network"],
            topology=str(data.get("topology", "pair")),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _server(directory: Path, data: Mapping[str, Any]) -> LabServer:
    process = data["process"]
    name = str(data["name"])
    if "/" in name or name.startswith("."):
        raise ValueError(f"not the name of a server: {name!r}")  # it becomes a directory that `down` removes
    return LabServer(
        name=name,
        role=Role(data["role"]),
        port=int(data["port"]),
        server_id=int(data["server_id"]),
        directory=directory / name,
        process=ProcessRef(int(process["pid"]), str(process["started"])) if process else None,
        container=data["container"],
        as_shipped=bool(data.get("as_shipped", False)),
    )
