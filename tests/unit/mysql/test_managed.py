"""What a cloud's procedures are called with."""

from __future__ import annotations

import pytest

from replfix.core.replication.transaction_id import TransactionId
from replfix.errors import Refused
from replfix.mysql.connection.managed import azure, cloud_sql, rds
from replfix.mysql.connection.managed.procedures import Procedures

NAMED = TransactionId("u:1", "b.000001", 4, 9)
UNNAMED = TransactionId(None, "b.000001", 4, 9)


def all_of(cloud: Procedures) -> Procedures:
    names = (cloud.start, cloud.stop, cloud.until, cloud.until_gtid)
    return cloud.offered(frozenset((name + suffix).lower() for name in names for suffix in ("", cloud.for_channel)))


def test_amazon_rds() -> None:
    found = all_of(rds.PROCEDURES)
    assert found.calls("", None) == ("CALL `mysql`.`rds_stop_replication`()", "CALL `mysql`.`rds_start_replication`()")
    assert found.calls("", UNNAMED)[1] == "CALL `mysql`.`rds_start_replication_until`('b.000001', 9)"
    assert found.calls("we'st", NAMED) == (
        "CALL `mysql`.`rds_stop_replication_for_channel`('we''st')",
        "CALL `mysql`.`rds_start_replication_until_gtid_for_channel`('u:1', 'we''st')",
    )
    assert found.has_end(NAMED, 1)
    assert not found.has_end(NAMED, 4)


def test_what_the_account_may_not_call_is_not_there() -> None:
    found = rds.PROCEDURES.offered(frozenset({"rds_start_replication", "rds_start_replication_until"}))
    assert found.calls("", None) == ("CALL `mysql`.`rds_start_replication`()",)
    assert not found.has_end(NAMED, 1)
    assert found.has_end(UNNAMED, 0)
    with pytest.raises(Refused, match="east"):
        found.calls("east", None)


@pytest.mark.parametrize("cloud", [azure.PROCEDURES, cloud_sql.PROCEDURES], ids=lambda cloud: cloud.cloud)
def test_clouds_without_an_end_and_without_channels(cloud: Procedures) -> None:
    found = all_of(cloud)
    assert not found.has_end(NAMED, 1)
    assert len(found.calls("", None)) == 2
    with pytest.raises(Refused):
        found.calls("east", None)
