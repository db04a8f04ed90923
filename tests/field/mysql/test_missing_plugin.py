"""An account signs in by a plugin that the replica has not loaded (1524): it is loaded from the library that the source has it from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from replfix.errors import ServerError
from replfix.lab.replicate import wait_until_stopped
from replfix.lab.topology import Lab
from tests.field.staging import write_unlogged
from tests.following.follower import CAUGHT_UP, Follower

PLUGIN = "auth_socket"


@pytest.fixture
def plugged(pair: Lab) -> Iterator[Lab]:
    with pair.source.session() as session:
        session.execute(f"INSTALL PLUGIN {PLUGIN} SONAME '{PLUGIN}.so'")
    yield pair
    for server in (pair.source, pair.replica):
        for statement in ("DROP USER IF EXISTS app", f"UNINSTALL PLUGIN {PLUGIN}"):
            with suppress(ServerError):
                write_unlogged(pair, server, statement)


def test_the_plugin_is_loaded_as_on_the_source(plugged: Lab) -> None:
    with plugged.source.session() as session:
        session.execute(f"CREATE USER app IDENTIFIED WITH {PLUGIN}")
    assert wait_until_stopped(plugged.replica).errno == 1524
    followed = Follower(plugged).follow()
    assert (followed.end, followed.faults, followed.remedies) == (CAUGHT_UP, [], 1), followed
