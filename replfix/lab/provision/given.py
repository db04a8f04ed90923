"""Way 1: the program that ``--mysqld`` names. It is taken or refused; there is no silent fallback to another one."""

from __future__ import annotations

from pathlib import Path

from replfix.lab.flavours import Flavour
from replfix.lab.provision.software import Software, identify


def software(flavour: Flavour, path: str) -> Software:
    """ConfigError when the program is not a server of this flavour that works here."""
    program = Path(path).expanduser().absolute()
    return identify(flavour, f"{program} (--mysqld)", (str(program),), clients=clients_beside(flavour, program))


def clients_beside(flavour: Flavour, program: Path) -> Path | None:
    """Return where the client programs of this server are: beside it, or in the ``bin`` next to its ``sbin``."""
    for directory in (program.parent, program.parent.parent / "bin"):
        if (directory / flavour.client("mysqlbinlog")).exists():
            return directory
    return None
