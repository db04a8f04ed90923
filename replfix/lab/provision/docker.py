"""Way 3: the official image, where a Docker engine answers. The servers are containers then: ``lab/containers.py``."""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replfix.lab import flavours
from replfix.lab.flavours import Flavour

PING_SECONDS = 2
_DEFAULT_SOCKET = "/var/run/docker.sock"


@dataclass(frozen=True, slots=True)
class Image:
    """Servers from a container image. ``version`` is the tag: what is inside is known only when it runs."""

    flavour: Flavour
    name: str

    @property
    def origin(self) -> str:
        """Where the servers come from, for people."""
        return f"the image {self.name} on Docker"

    @property
    def version(self) -> str:
        """The image's tag."""
        return self.name.rpartition(":")[2]

    def as_json(self) -> dict[str, str]:
        """Return it as the state file has it."""
        return {"flavour": self.flavour.name, "name": self.name}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Image:
        """Do the reverse of ``as_json``; KeyError, TypeError or ValueError on anything else."""
        return cls(flavours.recorded(data), str(data["name"]))


def image(flavour: Flavour) -> tuple[Image | None, str]:
    """Return the image, or None and why not. Never raises: no Docker is no error."""
    if importlib.util.find_spec("testcontainers") is None or importlib.util.find_spec("docker") is None:
        return None, "testcontainers is not installed (pip install 'replfix[lab]')"
    if "DOCKER_HOST" not in os.environ and not Path(_DEFAULT_SOCKET).exists():
        return None, "no engine is running"
    # By name: the directory docker/ of a checkout would be taken for the package by tools that read the code.
    docker: Any = importlib.import_module("docker")
    answered = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        # Docker, requests and urllib3 each raise their own for the same thing: no engine.
        with contextlib.suppress(Exception), contextlib.closing(docker.from_env(timeout=PING_SECONDS)) as client:
            answered = bool(client.ping())
        gc.collect()  # a client that failed to connect leaves its socket to the garbage collector, which complains
    if not answered:
        return None, "no engine answers"
    return Image(flavour, flavour.image), ""
