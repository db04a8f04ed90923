"""The ways in their order, and a clear word about which one was taken and why."""

from __future__ import annotations

from pathlib import Path

from replfix.errors import ConfigError
from replfix.lab.files import cache_directory
from replfix.lab.narration import Narrator
from replfix.lab.provision import docker, given, on_path, packages
from replfix.lab.provision.docker import Image
from replfix.lab.provision.software import Software

Provision = Software | Image


def provision(mysqld: str | None, narrator: Narrator, cache: Path | None = None) -> Provision:
    """Where servers come from. ConfigError when there is no way, saying what to install."""
    if mysqld is not None:
        chosen = given.software(mysqld)
        narrator.say(f"Servers: MySQL {chosen.version}, {chosen.origin}.")
        return chosen
    found = on_path.software(narrator)
    if found is not None:
        narrator.say(f"Servers: MySQL {found.version}, {found.origin}.")
        return found
    image, why_not = docker.image()
    if image is not None:
        narrator.say(f"Servers: {image.origin}, because no mysqld is on PATH.")
        return image
    try:
        unpacked = packages.software(cache or cache_directory(), narrator)
    except packages.NoPackages as error:
        raise ConfigError(
            f"There is no MySQL server here: no mysqld on PATH; Docker: {why_not}; {error.message}.",
            "Install MySQL 8.0.30 or newer (the package mysql-server-core, or mysql-community-server), start a Docker "
            "engine, or name a server program with --mysqld PATH.",
        ) from None
    narrator.say(
        f"Servers: MySQL {unpacked.version}, {unpacked.origin}, unpacked in the cache "
        f"(no mysqld on PATH; Docker: {why_not})."
    )
    return unpacked
