"""Way 1: the program that ``--mysqld`` names. It is taken or refused; there is no silent fallback to another one."""

from __future__ import annotations

from pathlib import Path

from replfix.lab.provision.software import Software, identify


def software(path: str) -> Software:
    """ConfigError when the program is not a MySQL server that works here."""
    program = Path(path).expanduser().absolute()
    return identify(f"{program} (--mysqld)", (str(program),), client_directory=clients_beside(program))


def clients_beside(program: Path) -> Path | None:
    """Where the client programs of this server are: beside it, or in the ``bin`` next to its ``sbin``."""
    for directory in (program.parent, program.parent.parent / "bin"):
        if (directory / "mysqlbinlog").exists():
            return directory
    return None
