"""Topologies made by hand, as the advisor reads them."""

from __future__ import annotations

from datetime import UTC, datetime

from replfix.core.advisor.node import Inserts, KeyTable, LogSample, Node, Setting
from replfix.core.advisor.survey import Edge, Survey
from replfix.core.replication.gtid import GtidSet
from replfix.core.schema.auto_increment import Counter
from replfix.core.schema.table import TableName
from tests.unit.making import column, key

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS = TableName("shop", "orders")


def node(
    number: int,
    increment: int = 1,
    offset: int = 1,
    *,
    counter: int = 101,
    table: TableName = ORDERS,
    data_type: str = "int",
    own: int = 10,
    version: str = "9.7.4",
    persisted: bool = False,
) -> Node:
    def setting(value: int) -> Setting:
        return Setting(value, persisted=value if persisted else None, origin="persisted" if persisted else "default")

    columns = {"id": column("id", data_type, auto_increment=True)}
    counted = Counter(columns["id"], counter, counter - 1)
    uuid = f"{number:08d}-0000-0000-0000-000000000000"
    return Node(
        uuid=uuid,
        name=f"primary{number}",
        address=f"10.0.0.{number}:3306",
        server_id=number,
        version=version,
        read_only=False,
        super_read_only=False,
        increment=setting(increment),
        offset=setting(offset),
        executed=GtidSet.parse(f"{uuid}:1-9"),
        tables={table: KeyTable(table, "InnoDB", columns, (key("PRIMARY", "id"),), counted, "PRIMARY")},
        log=LogSample(NOW, NOW, own, NOW, True, inserts={table: Inserts(own, 1, counter - 1)}),
    )


def circle(*nodes: Node) -> Survey:
    edges = [Edge(a.uuid, b.uuid, "", True) for a, b in zip(nodes, (*nodes[1:], nodes[0]), strict=True)]
    return Survey(NOW, nodes, tuple(edges))
