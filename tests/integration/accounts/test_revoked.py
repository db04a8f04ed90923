"""Each privilege taken from the account before one connection of a resolution after the other: then the judge, and the next command.

Both products look at global privileges when an account connects (MySQL manual, "When Privilege Changes Take Effect"; MariaDB
11.8 does the same), so what lies between two connections needs no place of its own. REPLFIX_REVOKED=all takes every privilege
at every connection, on MariaDB too.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from replfix.lab.flavours import speaking
from replfix.lab.lab_accounts import REPLFIX
from replfix.lab.lab_state import LabServer
from tests.integration.accidents import Accidents
from tests.integration.aftermath import Conflict, Ground, ground_fixture
from tests.integration.failures.test_cut_wires import RESOLVE, assert_in_words, configured, judge, resolve_again
from tests.integration.proxy import Break, Proxy
from tests.integration.running import Ran

ALL = os.environ.get("REPLFIX_REVOKED") == "all"
pytestmark = [pytest.mark.timeout(0)] if ALL else []
GREETING = "answer 1 to handshake"


ground = ground_fixture(full=ALL)


@dataclass(frozen=True)
class Place:
    """A privilege, and the number of the connection before which it goes, from 0."""

    privilege: str
    connection: int


class Taking:
    """Takes a privilege on one side while a resolution is under way, and gives it back when that has ended."""

    def __init__(self, ground: Ground, directory: Path, side: str) -> None:
        self._ground, self._directory, self._side = ground, directory, side
        self._server = ground.lab.replica if side == "replicas" else ground.lab.source
        self._ran: Ran | None = None
        self._packets: list[str] = []
        with self._server.session() as session:
            listed = speaking(session).replfix_privileges
        self.privileges = [each.strip() for line in listed for each in line.split(",")]

    def connections(self, conflict: Conflict) -> list[int]:
        """The packets that begin them, in a resolution that nobody disturbs."""
        ran = self._run(0, "")
        assert ran.code == 0, ran
        self._ground.assert_healed(conflict)
        return [n for n, name in enumerate(self._packets, 1) if name == GREETING]

    def meet(self, at: int, place: Place) -> Ran:
        try:
            self._ran = ran = self._run(at, place.privilege)
        finally:
            _administrate(self._server, f"GRANT {place.privilege} ON *.* TO")
        assert_in_words(ran)
        return ran

    def _run(self, at: int, privilege: str) -> Ran:
        def take() -> None:
            _administrate(self._server, f"REVOKE {privilege} ON *.* FROM")

        with Proxy(("127.0.0.1", self._server.port), at, Break.PASS, take) as proxy:
            config = configured(self._ground, self._directory, {self._side: proxy.port})
            ran = self._ground.command(*RESOLVE, config=config)
        self._packets = proxy.packets
        return ran

    def told(self, place: Place) -> str:
        return f"{place.privilege} of the {self._side} gone before connection {place.connection}; {self._ran}"


def _administrate(server: LabServer, change: str) -> None:
    """Not logged; super_read_only is left as it is found."""
    with server.session() as session:
        shut = session.query("SHOW GLOBAL VARIABLES LIKE 'super_read_only'")
        is_shut = bool(shut) and shut[0]["Value"] == "ON"
        if is_shut:
            session.execute("SET GLOBAL super_read_only = OFF")
        session.execute("SET sql_log_bin = 0")
        session.execute(f"{change} '{REPLFIX.name}'@'%'")
        if is_shut:
            session.execute("SET GLOBAL super_read_only = ON")


@pytest.mark.parametrize("side", ["replicas", "sources"])
def test_it_ends_with_settings_as_before_and_nothing_half_done(ground: Ground, tmp_path: Path, side: str) -> None:
    taking = Taking(ground, tmp_path, side)
    connections = taking.connections(ground.conflict())
    places = [
        Place(privilege, n)
        for turn, privilege in enumerate(taking.privileges)
        for n in (range(len(connections)) if ALL else [(turn * 5) % len(connections)])
    ]

    Accidents[Conflict, Place](
        ground,
        ground.conflict,
        lambda _, place: taking.meet(connections[place.connection], place),
        lambda conflict, _, ran, before: judge(ground, conflict, ran, before),
        lambda conflict: resolve_again(ground, conflict),
        full=ALL,
    ).at(places, taking.told)
