"""A data directory made once for each mysqld, and copied for each server: seconds saved at every ``lab up``."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from replfix.errors import ConfigError
from replfix.lab import lab_accounts
from replfix.lab.narration import Narrator
from replfix.lab.provision.software import Software
from replfix.lab.shared_files import directory_made_whole, locked


def template(software: Software, cache: Path, narrator: Narrator) -> Path:
    """Return the template's data directory, made now if it is not there yet.

    It has the lab's accounts and no auto.cnf: two servers with one UUID would refuse to replicate from each other.
    """
    statements = lab_accounts.statements(software.flavour)
    key = hashlib.sha256("\n".join([software.version, *software.mysqld, *statements]).encode()).hexdigest()[:12]
    path = cache / "templates" / f"{software.version}-{key}"
    if path.exists():
        return path
    with locked(
        cache / "templates" / ".lock", lambda: narrator.say("Another replfix is making the template: waiting.")
    ):
        if not path.exists():
            narrator.say(f"Initializing a data directory of {software.title} (once).")
            with directory_made_whole(path) as building:
                try:
                    software.flavour.initialize(software, building / "data", statements)
                except ConfigError as error:
                    raise ConfigError(
                        f"{software.origin} cannot make a data directory: {error.message}",
                        "Try another server with --mysqld PATH. A server that the system installed may be confined to "
                        "/var/lib/mysql (AppArmor, SELinux).",
                    ) from None
    return path


def copy(path: Path, data: Path) -> None:
    """Copy the template to a new server's data directory."""
    shutil.copytree(path / "data", data, symlinks=True)
