"""Way 3: the official image, where a Docker engine answers. The servers then are containers, see ``lab/containers.py``."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from dataclasses import dataclass
from typing import Any

IMAGE = "mysql:9.7"
PING_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Image:
    """Servers from a container image. ``version`` is the tag: what is inside is known only when it runs."""

    name: str = IMAGE

    @property
    def origin(self) -> str:
        return f"the image {self.name} on Docker"

    @property
    def version(self) -> str:
        return self.name.rpartition(":")[2]


def image() -> tuple[Image | None, str]:
    """The image, or None and why not. Never raises: no Docker is no error."""
    if importlib.util.find_spec("testcontainers") is None or importlib.util.find_spec("docker") is None:
        return None, "testcontainers is not installed (pip install 'replfix[lab]')"
    # By name: the directory docker/ of a checkout would be taken for the package by tools that read the code.
    docker: Any = importlib.import_module("docker")
    try:
        with warnings.catch_warnings():  # the client of a half-configured engine leaves sockets behind
            warnings.simplefilter("ignore")
            client = docker.from_env(timeout=PING_SECONDS)
            try:
                client.ping()
            finally:
                client.close()
    except Exception:  # docker, requests and urllib3 each raise their own for the same thing
        return None, "no engine answers"
    return Image(), ""
