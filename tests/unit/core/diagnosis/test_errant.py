"""Which transactions count as errant, and how they are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from replfix.core.remedies.errant_options import ways_out
from replfix.core.remedies.errant_transactions import Errant, origin_of
from replfix.core.remedies.remedy import LeadsTo
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.mariadb_gtid import MariadbGtidSet
from replfix.core.replication.on_its_way import OnlyHere
from replfix.core.replication.replica_status import ChannelStatus
from replfix.errors import ConnectError
from replfix.present.errant_text import errant_points
from replfix.present.page.page_model import Block, Point, Script, Sentence, plain
from replfix.present.page.rich_page import block_text
from replfix.workflow.investigate.errant.find_errant import errant
from tests.tui.backend import strays_of
from tests.unit.fakes import FakeServer, Rows, World
from tests.unit.making import REPLICA, SOURCE, channel, status

OTHER = "cccccccc-0000-0000-0000-000000000003"
GROUP = "dddddddd-0000-0000-0000-000000000004"


class Member(FakeServer):
    group: str | None = None

    def variables(self, names: Sequence[str]) -> dict[str, str | None]:
        return {**dict.fromkeys(names, "AUTOMATIC"), "group_replication_group_name": self.group}


def found(executed: str, source: str, *more: ChannelStatus, others: str | None = "", group: str | None = None) -> str:
    world = World()
    servers = {name: Member(world, name, "", Rows({}, {})) for name in ("replica", "source", "other")}
    servers["replica"].group = group
    servers["source"].gtids = GtidSet.parse(source)
    stands = status(channel(), *more, executed=executed)

    def source_of(_: ChannelStatus) -> FakeServer:
        if others is None:
            raise ConnectError("The other source is down.")
        servers["other"].gtids = GtidSet.parse(others)
        return servers["other"]

    return str(errant(servers["replica"], stands, stands.channels[0], servers["source"], source_of).errant)  # type: ignore[arg-type]


def test_what_none_of_the_sources_has() -> None:
    other = replace(channel(name="other"), source_uuid=OTHER, retrieved=GtidSet.parse(f"{GROUP}:1-2"))
    executed = f"{SOURCE}:1-9,{REPLICA}:1-2,{OTHER}:1-5,{GROUP}:1-3"
    assert found(executed, f"{SOURCE}:1-12") == f"{REPLICA}:1-2,{OTHER}:1-5,{GROUP}:1-3"
    assert found(executed, f"{SOURCE}:1-12", other, others=None) == f"{REPLICA}:1-2,{GROUP}:3"
    assert found(executed, f"{SOURCE}:1-12", other, others=f"{GROUP}:1-9,{REPLICA}:1") == f"{REPLICA}:2"
    assert found(executed, f"{SOURCE}:1-12", other) == f"{REPLICA}:1-2,{GROUP}:3"


def test_what_the_replicas_own_group_wrote_is_not_errant() -> None:
    executed = f"{SOURCE}:1-9,{REPLICA}:1-2,{GROUP}:1-3"
    assert found(executed, f"{SOURCE}:1-9", group=GROUP.upper()) == f"{REPLICA}:1-2"
    assert found(executed, f"{SOURCE}:1-9", group="") == f"{REPLICA}:1-2,{GROUP}:1-3"


def test_where_they_were_written() -> None:
    gtids = GtidSet.parse(f"{SOURCE}:5,{REPLICA}:tag:1,{OTHER}:9")
    stands = status(channel())
    assert [origin_of(gtid, gtids, stands) for gtid in (f"{REPLICA}:tag:1", f"{SOURCE}:5", f"{OTHER}:9")] == [
        "written on this replica itself",
        "written on the source, which no longer has it",
        f"written on another server, {OTHER}",
    ]


def test_the_sql_is_bounded_and_says_so() -> None:
    gtids = GtidSet.parse(f"{REPLICA}:1-250")
    ways = ways_out(status(channel()), channel(), gtids, GtidSet(), "db1:3306")
    empty, leave = (way.first for way in ways)
    assert "newest 100 of 250" in empty.text
    assert empty.leads_to is LeadsTo.FEWER_ERRANT
    assert len(empty.sql) == 3 * 100 + 1
    assert empty.sql[0] == f"SET SESSION gtid_next = '{REPLICA}:151'"
    assert empty.sql[-4:] == (
        f"SET SESSION gtid_next = '{REPLICA}:250'",
        "BEGIN",
        "COMMIT",
        "SET SESSION gtid_next = 'AUTOMATIC'",
    )
    assert len(leave.sql) == 1


@pytest.mark.parametrize(
    ("gtids", "there", "numbered"),
    [
        ("0-2-11,7-2-3", "0-1-10", [(0, 2, 11), (7, 2, 3)]),
        ("0-2-11", "0-1-10,0-3-12", []),  # out of order there
        ("0-3-11", "0-1-10", []),  # another's: the replica would take it for new
    ],
)
def test_which_numbers_of_mariadb_the_source_can_log(
    gtids: str, there: str, numbered: list[tuple[int, int, int]]
) -> None:
    stands = replace(status(channel()), server_uuid="server_id 2", version="11.8.6-MariaDB")
    *empty, leave = ways_out(stands, channel(), MariadbGtidSet.parse(gtids), MariadbGtidSet.parse(there), "db1:3306")
    assert leave.name == "leave"
    setting = [
        f"SET SESSION `{name}` = {value}"
        for each in numbered
        for name, value in zip(("gtid_domain_id", "server_id", "gtid_seq_no"), each, strict=True)
    ]
    assert [s for way in empty for s in way.first.sql if s.startswith("SET") and "DEFAULT" not in s] == setting


def test_of_mariadb_what_cannot_be_logged_stays_errant() -> None:
    stands = replace(status(channel()), server_uuid="server_id 2", version="11.8.6-MariaDB")
    gtids, there = MariadbGtidSet.parse("7-2-3,0-2-11"), MariadbGtidSet.parse("0-1-10,0-3-12")
    empty = ways_out(stands, channel(), gtids, there, "db1:3306")[0].first
    assert empty.leads_to is LeadsTo.FEWER_ERRANT
    assert "The others stay errant" in empty.text


def test_a_line_stays_a_line() -> None:
    for block in errant_points(strays_of("a\nb\x1b[31m\u202e[/b]")):
        assert isinstance(block, Point | Sentence | Script)
        lines = block.statements if isinstance(block, Script) else (plain(block.words),)
        assert len(printed(block).splitlines()) == len(lines)
        assert all(line.isprintable() for line in printed(block).splitlines())
    assert list(errant_points(Errant(OnlyHere(GtidSet()), (), ()))) == []


def printed(block: Block) -> str:
    console = Console(width=10_000, file=StringIO(), markup=False)
    with console.capture() as capture:
        console.print(block_text(block))
    return capture.get()
