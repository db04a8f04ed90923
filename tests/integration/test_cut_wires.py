"""Connections that break at one packet after the other, to the replica and to the source; then the next command, then the judge.

REPLFIX_CUT_WIRES=all takes every packet, in every way of breaking.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from replfix.lab.accounts import REPLFIX
from replfix.lab.topology import Lab
from tests.integration.aftermath import Conflict, Ground, ground_of
from tests.integration.proxy import Break, Proxy
from tests.integration.running import Ran

ALL = os.environ.get("REPLFIX_CUT_WIRES") == "all"
PATIENCE = 1.0  # seconds that a command waits for an answer, where the wire has none

RESOLVE = ("resolve", "replica1", "--yes", "--json")
WRITING = ("SET GLOBAL", "COMMIT", "START REPLICA")


@pytest.fixture
def ground(pair: Lab) -> Iterator[Ground]:
    with ground_of(pair) as made:
        yield made


def configured(ground: Ground, directory: Path, **ports: int) -> str:
    """As the lab's, with the proxies' ports. Not encrypted: a proxy tells packets apart."""
    lab = ground.lab
    text = [f'[audit]\nurl = "sqlite:///{ground.trail}"\n']
    for section, server in (("replicas.replica1", lab.replica), ("sources.source", lab.source)):
        port = ports.get(section.split(".")[0], server.port)
        text += [f'[{section}]\nhost = "127.0.0.1"\nport = {port}\nuser = "{REPLFIX.name}"',
                 f'defaults_file = "{lab.directory / "my.cnf"}"\nssl_mode = "DISABLED"',
                 'source = "source"\n' if section.startswith("replicas") else ""]  # fmt: skip
    path = directory / "replfix.toml"
    path.write_text("\n".join(text))
    return str(path)


def broken(ground: Ground, directory: Path, side: str, at: int, how: Break, *command: str) -> tuple[Ran, list[str]]:
    """The command, over a wire to the replica or to the source that breaks; and the packets."""
    server = ground.lab.replica if side == "replicas" else ground.lab.source
    with ExitStack() as open_:
        proxy = open_.enter_context(Proxy(("127.0.0.1", server.port), at, how))
        config = configured(ground, directory, **{side: proxy.port})
        ran = ground.command(*command, config=config, patience=PATIENCE if how is Break.STALL else None)
    return ran, proxy.packets


def chosen(packets: list[str], one_in: int) -> Iterator[tuple[int, Break]]:
    """Requests, the first packet of each answer, and all of a binlog that is sent; each meets another way of breaking."""
    ways = list(Break)
    telling = [
        n for n, name in enumerate(packets, 1) if not name.startswith("answer") or "answer 1 " in name or "dump" in name
    ]
    writing = [n for n in telling if packets[n - 1].partition("Query ")[2].startswith(WRITING)]
    quiet = [n for n in telling if n not in writing]
    for turn, n in enumerate(writing):
        for how in ways if ALL else ways[turn % 5 :][:1]:
            yield n, how
    for turn, n in enumerate(quiet if ALL else quiet[::one_in]):
        yield n, ways[turn % 5]


@pytest.mark.parametrize(("side", "one_in"), [("replicas", 200), ("sources", 80)])
def test_a_resolution(ground: Ground, tmp_path: Path, side: str, one_in: int) -> None:
    conflict = ground.conflict()
    ran, packets = broken(ground, tmp_path, side, 0, Break.DROP, *RESOLVE)
    assert ran.code == 0, ran
    ground.assert_healed(conflict)
    for at, how in chosen(packets, one_in):
        conflict = ground.conflict()
        ran, passed = broken(ground, tmp_path, side, at, how, *RESOLVE)
        try:
            judge(ground, conflict, ran)
        except BaseException as error:
            error.add_note(
                f"{how} at packet {at} of {len(packets)}: {passed[at - 1] if len(passed) >= at else 'not reached'}"
            )
            error.add_note(f"{ran}")
            raise


def judge(ground: Ground, conflict: Conflict, ran: Ran) -> None:
    """What the command said of itself is true, and the next ones put right what is left."""
    ground.wait_for_sessions_to_end()  # what they had been asked for is done
    assert ran.code in (0, 4, 5, 6), ran
    if ran.code in (4, 6):
        said = ran.document.get("error", ran.document)
        assert "" not in (said["message"], said["hint"]), ran
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
    again = ground.command(*RESOLVE)
    assert again.code == 0, again
    ground.assert_healed(conflict)
    ground.assert_settings()
    ground.assert_whole()
