"""Way 2: the server program (``mysqld``, ``mariadbd``) on PATH."""

from __future__ import annotations

import shutil
from pathlib import Path

from replfix.errors import ConfigError
from replfix.lab.flavours import Flavour
from replfix.lab.narration import Narrator
from replfix.lab.provision.given import clients_beside
from replfix.lab.provision.software import Software, identify


def software(flavour: Flavour, narrator: Narrator) -> Software | None:
    """Return the installed server; None when there is none, or (reported) none that the lab can use."""
    found = shutil.which(flavour.program)
    if found is None:
        return None
    program = Path(found).absolute()
    try:
        return identify(flavour, f"{program} (on PATH)", (str(program),), clients=clients_beside(flavour, program))
    except ConfigError as error:
        narrator.say(f"Not using {flavour.program} on PATH: {error.message}")
        return None
