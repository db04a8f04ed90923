"""Way 2: ``mysqld`` on PATH."""

from __future__ import annotations

import shutil
from pathlib import Path

from replfix.errors import ConfigError
from replfix.lab.narration import Narrator
from replfix.lab.provision.given import clients_beside
from replfix.lab.provision.software import Software, identify


def software(narrator: Narrator) -> Software | None:
    """None when there is none, or (said aloud) none that the lab can use."""
    found = shutil.which("mysqld")
    if found is None:
        return None
    program = Path(found).absolute()
    try:
        return identify(f"{program} (on PATH)", (str(program),), client_directory=clients_beside(program))
    except ConfigError as error:
        narrator.say(f"Not using mysqld on PATH: {error.message}")
        return None
