"""Connections that break at one packet after the other, to the replica and to the source; then the next command, then the judge.

REPLFIX_CUT_WIRES=all takes every packet, those that write in every way of breaking; of an encrypted wire, every record.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from replfix.lab.lab_accounts import REPLFIX
from replfix.lab.topology import Lab
from tests.integration.accidents import Accidents
from tests.integration.aftermath import Conflict, Ground, Picture, Several, ground_fixture
from tests.integration.proxy import Break, Proxy
from tests.integration.running import Ran

ALL = os.environ.get("REPLFIX_CUT_WIRES") == "all"
pytestmark = [pytest.mark.timeout(0)] if ALL else []
PATIENCE = 1.0  # seconds that a command waits for an answer, where the wire has none

RESOLVE = ("resolve", "replica1", "--yes", "--json")
WRITING = ("SET GLOBAL", "COMMIT", "START REPLICA")


ground = ground_fixture(full=ALL)


def configured(ground: Ground, directory: Path, ports: Mapping[str, int], ssl_mode: str = "DISABLED") -> str:
    """As the lab's, with the proxies' ports."""
    return configured_for(ground.lab, directory, ground.trail, ports, ssl_mode)


def configured_for(lab: Lab, directory: Path, trail: Path, ports: Mapping[str, int], ssl_mode: str = "DISABLED") -> str:
    """As the lab's, with those ports. Where it is not encrypted, a proxy tells packets apart."""
    text = [f'[audit]\nurl = "sqlite:///{trail}"\n']
    for section, server in (("replicas.replica1", lab.replica), ("sources.source", lab.source)):
        port = ports.get(section.split(".")[0], server.port)
        text += [f'[{section}]\nhost = "127.0.0.1"\nport = {port}\nuser = "{REPLFIX.name}"',
                 f'defaults_file = "{lab.directory / "my.cnf"}"\nssl_mode = "{ssl_mode}"\nget_server_public_key = true',
                 'source = "source"\n' if section.startswith("replicas") else ""]  # fmt: skip
    path = directory / "replfix.toml"
    path.write_text("\n".join(text))
    return str(path)


@dataclass(frozen=True)
class Place:
    """The number of a packet, 0 for none, and what happens to it."""

    at: int
    how: Break


def chosen(packets: list[str], one_in: int) -> Iterator[Place]:
    """Requests, the first packet of each answer, and all of a binlog that is sent; each meets another way of breaking."""
    ways = [way for way in Break if way is not Break.PASS]
    telling = [
        n for n, name in enumerate(packets, 1) if not name.startswith("answer") or "answer 1 " in name or "dump" in name
    ]
    writing = [n for n in telling if packets[n - 1].partition("Query ")[2].startswith(WRITING)]
    quiet = [n for n in telling if n not in writing]
    places = [
        Place(n, how) for turn, n in enumerate(writing) for how in (ways if ALL else ways[turn % len(ways) :][:1])
    ]
    places += [Place(n, ways[turn % len(ways)]) for turn, n in enumerate(quiet if ALL else quiet[::one_in])]
    return iter(sorted(places, key=lambda place: place.at))


class Wire:
    """Between a resolution and the replica, or the source."""

    def __init__(self, ground: Ground, directory: Path, side: str, ssl_mode: str) -> None:
        self._ground, self._directory, self._side, self._ssl_mode = ground, directory, side, ssl_mode
        self.packets: list[str] = []
        self._ran: Ran | None = None

    def meet(self, _: Conflict, place: Place) -> Ran:
        """The command, over a wire that breaks there; ``packets`` tells those that came by."""
        ground = self._ground
        server = ground.lab.replica if self._side == "replicas" else ground.lab.source
        with Proxy(("127.0.0.1", server.port), place.at, place.how) as proxy:
            config = configured(ground, self._directory, {self._side: proxy.port}, self._ssl_mode)
            patience = PATIENCE if place.how in (Break.STALL, Break.BEND) else None
            self._ran = ran = ground.command(*RESOLVE, config=config, patience=patience)
        self.packets = proxy.packets
        assert_in_words(ran)
        return ran

    def told(self, place: Place) -> str:
        packet = self.packets[place.at - 1] if len(self.packets) >= place.at else "not reached"
        return f"{place.how} at packet {place.at}, which is: {packet}; {self._ran}"


def assert_in_words(ran: Ran) -> None:
    assert ran.code in (0, 3, 4, 5, 6), ran
    if ran.code in (4, 6):
        said = ran.document.get("error", ran.document)
        assert "" not in (said["message"], said["hint"]), ran


def judge(ground: Ground, conflict: Conflict, ran: Ran, before: Picture | None = None) -> bool:
    """What the command said of itself is true, and the next ones put right what is left; True when that is all as ``before``."""
    ground.wait_for_sessions_to_end()  # what they had been asked for is done
    if ran.code in (4, 6):
        assert set(conflict.local) <= set(ground.rows()), ran
        ground.assert_settings()
    recovered = ground.command("recover", "replica1", "--json")
    assert recovered.code == 0, recovered
    ground.assert_settings()
    ground.assert_kept(set(conflict.local) - set(ground.rows()))
    if ground.told():
        ground.assert_whole()
        ground.assert_told_truly(conflict)
    if ran.code == 0:
        ground.assert_healed(conflict)
    elif before is not None and ground.restored_to(before):
        return True
    resolve_again(ground, conflict)
    return False


def resolve_again(ground: Ground, conflict: Conflict) -> None:
    again = ground.command(*RESOLVE)
    assert again.code == 0, again
    ground.assert_healed(conflict)
    ground.assert_settings()
    ground.assert_whole()


@pytest.mark.parametrize(
    ("side", "one_in", "ssl_mode", "kind"),
    [
        ("replicas", 200, "DISABLED", Conflict),
        ("sources", 80, "DISABLED", Several),
        ("replicas", 150, "REQUIRED", Several),
        ("sources", 60, "REQUIRED", Conflict),
    ],
)
def test_a_resolution(
    ground: Ground, tmp_path: Path, side: str, one_in: int, ssl_mode: str, kind: type[Conflict]
) -> None:
    """Of one transaction, and of several together."""
    wire = Wire(ground, tmp_path, side, ssl_mode)
    conflict = ground.conflict(kind)
    ran = wire.meet(conflict, Place(0, Break.DROP))
    assert ran.code == 0, ran
    encrypted = any(name.startswith("record") for name in wire.packets)
    assert encrypted == (ssl_mode == "REQUIRED"), wire.packets[:5]
    ground.assert_healed(conflict)
    places = list(chosen(wire.packets, one_in))

    Accidents[Conflict, Place](
        ground,
        lambda: ground.conflict(kind),
        wire.meet,
        lambda conflict, _, ran, before: judge(ground, conflict, ran, before),
        lambda conflict: resolve_again(ground, conflict),
        full=ALL,
    ).at(places, wire.told)
