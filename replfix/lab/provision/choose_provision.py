"""The ways in their order, and a clear word about which one was taken and why."""

from __future__ import annotations

from pathlib import Path

from replfix.errors import ConfigError
from replfix.lab.flavours import Flavour
from replfix.lab.narration import Narrator
from replfix.lab.provision import docker, given, on_path, packages
from replfix.lab.provision.docker import Image
from replfix.lab.provision.software import Software
from replfix.lab.shared_files import cache_directory

Provision = Software | Image


def provision(flavour: Flavour, mysqld: str | None, narrator: Narrator, cache: Path | None = None) -> Provision:
    """Return where servers come from. ConfigError, with what to install, when there is none."""
    if mysqld is not None:
        chosen = given.software(flavour, mysqld)
        narrator.say(f"Servers: {chosen.title}, {chosen.origin}.")
        return chosen
    found = on_path.software(flavour, narrator)
    if found is not None:
        narrator.say(f"Servers: {found.title}, {found.origin}.")
        return found
    none = f"no {flavour.program} on PATH"
    image, why_not = docker.image(flavour)
    if image is not None:
        narrator.say(f"Servers: {image.origin}, because there is {none}.")
        return image
    try:
        unpacked = packages.software(flavour, cache or cache_directory(), narrator)
    except packages.NoPackages as error:
        raise ConfigError(
            f"There is no {flavour.title} here: {none}; Docker: {why_not}; {error.message}.",
            f"Install {flavour.title} (the package {flavour.packages.server}), start a Docker engine, or name a server "
            "program with --mysqld PATH.",
        ) from None
    narrator.say(f"Servers: {unpacked.title}, {unpacked.origin}, unpacked in the cache ({none}; Docker: {why_not}).")
    return unpacked
