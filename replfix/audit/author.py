"""Who runs this process, as far as the system knows."""

from __future__ import annotations

import os
import pwd
import socket


def author() -> str:
    """Return ``user@host``; after sudo the person, then the account: ``alice@host (as root)``.

    The account comes from the system, not from $USER. $SUDO_USER is used when it differs: it can be set by hand, but
    then only by someone who already is that account.
    """
    uid = os.getuid()
    try:
        account = pwd.getpwuid(uid).pw_name
    except KeyError:  # containers run under numbers without names
        account = f"uid-{uid}"
    host = socket.gethostname() or "localhost"
    person = os.environ.get("SUDO_USER", "")
    text = f"{person}@{host} (as {account})" if person and person != account else f"{account}@{host}"
    return text.encode("utf-8", "replace").decode()
