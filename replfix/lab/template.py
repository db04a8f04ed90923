"""A data directory made once for each mysqld, and copied for each server: seconds saved at every ``lab up``."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from replfix.errors import ConfigError
from replfix.lab import accounts
from replfix.lab.files import directory_made_whole, locked
from replfix.lab.narration import Narrator
from replfix.lab.processes import run
from replfix.lab.provision.software import Software

REDO_CAPACITY = "--innodb-redo-log-capacity=16M"
"""Small enough to copy quickly, large enough for the initialization not to wait for checkpoints (8M makes it wait)."""


def template(software: Software, cache: Path, narrator: Narrator) -> Path:
    """The template's data directory, made now if it is not there yet. It holds the lab's accounts and no auto.cnf: two
    servers with one UUID would refuse to replicate from each other."""
    statements = ";\n".join(accounts.statements()) + ";\n"
    key = hashlib.sha256("\n".join([software.version, *software.mysqld, statements]).encode()).hexdigest()[:12]
    path = cache / "templates" / f"{software.version}-{key}"
    if path.exists():
        return path
    with locked(
        cache / "templates" / ".lock", lambda: narrator.say("Another replfix is making the template: waiting.")
    ):
        if not path.exists():
            narrator.say(f"Initializing a data directory of MySQL {software.version} (once).")
            with directory_made_whole(path) as building:
                _initialize(software, building, statements)
    return path


def _initialize(software: Software, building: Path, statements: str) -> None:
    data, script, log = building / "data", building / "accounts.sql", building / "initialize.log"
    script.write_text(statements, encoding="utf-8")
    # Nothing of the initialization is logged (binlog is off), so the accounts cost no GTID.
    command = software.server_command(
        "--initialize-insecure",
        f"--init-file={script}",
        f"--datadir={data}",
        f"--log-error={log}",
        "--secure-file-priv=NULL",
        "--mysqlx=OFF",
        REDO_CAPACITY,
    )
    code, text = run(command)
    said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else text
    errors = [line for line in said.splitlines() if "[ERROR]" in line]
    if code != 0 or errors:
        told = " ".join(errors)[-600:] or said.strip()[-300:] or f"exit code {code}"
        raise ConfigError(
            f"{software.origin} cannot make a data directory: {told}",
            "Try another server with --mysqld PATH. A mysqld that the system installed may be confined to "
            "/var/lib/mysql (AppArmor, SELinux).",
        )
    (data / "auto.cnf").unlink(missing_ok=True)
    script.unlink()


def copy(path: Path, data: Path) -> None:
    """A new server's data directory."""
    shutil.copytree(path / "data", data, symlinks=True)
