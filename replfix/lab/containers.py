"""Lab servers as containers of the official image, for machines with a Docker engine.

Containers join a network of their own, where the source is called ``source``, and publish one port each on the
loopback. They carry the label ``replfix.lab`` with the lab's directory, by which ``down`` finds them with no state.
"""

from __future__ import annotations

import contextlib
import importlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from replfix.errors import ConfigError, ConnectError, ReplfixError
from replfix.lab import lab_accounts
from replfix.lab.lab_state import HOST, LabServer, Role
from replfix.lab.provision.docker import Image

LABEL = "replfix.lab"
PORT = 3306  # inside the network
_MEMORY = "--innodb-buffer-pool-size=32M"
START_SECONDS = 300.0  # the image makes its data directory on the first start


@contextlib.contextmanager
def _engine() -> Iterator[Any]:
    """Give a client of the engine; ConfigError when none answers."""
    try:
        docker: Any = importlib.import_module("docker")
    except ImportError:
        raise ConfigError(
            "This lab runs on Docker, and the Python package docker is not installed.",
            "Install it with: pip install 'replfix[lab]'",
        ) from None
    try:
        client = docker.from_env()
    except docker.errors.DockerException as error:
        raise ConfigError(f"No Docker engine answers: {error}", "Start it, then run the command again.") from None
    try:
        yield client
    except docker.errors.DockerException as error:
        raise ConfigError(f"Docker refused: {error}", "Check the engine with 'docker info'.") from None
    finally:
        client.close()


def start(servers: Sequence[LabServer], image: Image, lab: Path) -> tuple[tuple[LabServer, ...], str]:
    """Create and start the containers and wait until each answers; return the servers and the network's id.

    The servers have their container ids. Account and schema statements of the start are removed from the binlogs.
    """
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer

    # testcontainers removes its containers when the process ends; a lab stays until `lab down`.
    testcontainers_config.ryuk_disabled = True
    script = lab / "accounts.sql"
    lines = ("SET sql_log_bin = 0", *lab_accounts.statements(image.flavour))
    script.write_text(";\n".join(lines) + ";\n", encoding="utf-8")
    script.chmod(0o644)  # the container's user reads it
    with _engine() as client:
        network = client.networks.create(f"replfix-lab-{lab.name}", labels={LABEL: str(lab)})
    network_id, flavour = str(network.id), image.flavour
    started = []
    for server in servers:
        container: Any = (
            DockerContainer(image.name)
            .with_command([*flavour.options, _MEMORY, *server.own_options(flavour)])
            .with_envs(**flavour.image_environment)
            .with_volume_mapping(str(script), "/docker-entrypoint-initdb.d/accounts.sql", "ro")
            .with_kwargs(labels={LABEL: str(lab)}, hostname=server.name)
        )
        container.ports = {str(PORT): (HOST, server.port)}  # with_bind_ports cannot name an address
        try:
            container.start()
            container_id = container.get_container_id()
            with _engine() as client:
                client.networks.get(network_id).connect(container_id, aliases=[server.name])
        except ReplfixError:
            raise
        except Exception as error:  # docker's and testcontainers' own, e.g. an image that cannot be pulled
            raise ConfigError(f"{server} could not be started on Docker: {error}", _HINT) from None
        started.append(replace(server, container=container_id))
    for server in started:
        _wait_until_up(server)
        with server.session() as session:
            flavour.settle(session, replica=server.role is Role.REPLICA)
    return tuple(started), network_id


_HINT = "Check 'docker info' and that the image can be pulled, or name a server program with --mysqld PATH."


def _wait_until_up(server: LabServer) -> None:
    # While the image prepares its data directory its server does not listen on the network: an answer means ready.
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            server.session().close()
            return
        except ConnectError as error:
            if time.monotonic() > deadline:
                raise ConnectError(f"{server} does not answer: {error.message}", "See 'docker logs'.") from None
        time.sleep(0.2)


def restart(servers: Sequence[LabServer]) -> None:
    """Start containers that were stopped, and wait until they answer."""
    with _engine() as client:
        for server in servers:
            client.containers.get(server.container).start()
    for server in servers:
        _wait_until_up(server)


def is_up(server: LabServer) -> bool:
    """Return whether the server answers."""
    try:
        server.session().close()
    except ConnectError:
        return False
    return True


def remove(lab: Path) -> None:
    """Remove the lab's containers, their volumes and their network; what is not there is not missed."""
    with _engine() as client:
        for container in client.containers.list(all=True, filters={"label": f"{LABEL}={lab}"}):
            container.remove(force=True, v=True)
        for network in client.networks.list(filters={"label": f"{LABEL}={lab}"}):
            network.remove()
