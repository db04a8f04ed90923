"""A text in the user's pager, while the terminal is lent to it."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from textual.app import App, SuspendNotSupported

from replfix.present.safe_text import visible

PAGER = "less"


def page(app: App[object], text: str) -> None:
    """Show the text in ``$PAGER``, control characters spelt out; a notification reports why that was not possible.

    The file is for its owner only, and deleted when the pager ends. ``less`` is started without its own way to a shell.
    """
    wanted = os.environ.get("PAGER") or PAGER
    try:
        command = shlex.split(wanted)
        with TemporaryDirectory(prefix="replfix-") as folder:
            file = Path(folder) / "value.txt"
            file.write_text(visible(text), "utf-8", "replace")
            with app.suspend():
                subprocess.run([*command, str(file)], check=False, env={**os.environ, "LESSSECURE": "1"})  # noqa: S603
    except (OSError, ValueError, SuspendNotSupported) as error:
        app.notify(visible(f"{wanted}: {error}"), severity="warning", markup=False)
