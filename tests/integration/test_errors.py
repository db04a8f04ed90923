"""Every error that stops an applier, staged on real servers."""

from __future__ import annotations

import pytest

from replfix.core.diagnosis import Diagnosis
from replfix.core.known_error import families, family_of
from replfix.lab.accounts import REPLFIX
from replfix.lab.proof import prove, snapshot
from replfix.lab.topology import Lab
from replfix.mysql.server import MysqlServer
from replfix.workflow.investigate import investigate
from tests.integration.broken import BROKEN


@pytest.mark.parametrize("name", BROKEN)
def test_the_server_stops_with_the_error(pair: Lab, name: str) -> None:
    broken = BROKEN[name]
    error = broken.stage(pair)
    assert error.errno == broken.errno
    assert family_of(error.errno) is not None


def test_the_names_are_the_servers_own(lab: Lab) -> None:
    with lab.replica.session() as session:
        names = {
            int(row["number"]): row["name"]
            for row in session.query(
                "SELECT ERROR_NUMBER AS number, ERROR_NAME AS name "
                "FROM performance_schema.events_errors_summary_global_by_error WHERE ERROR_NUMBER IS NOT NULL"
            )
        }
    known = {number: name for family in families() for number, name in family.errors.items()}
    # Errors of the client library are in no table of the server; 1594 and 1677 are those of older servers.
    assert {number for number in known if number not in names} == {
        n for n in known if 2000 <= n < 3000 or n in (1594, 1677)
    }
    assert {n: known[n] for n in known if n in names} == {n: names[n] for n in known if n in names}


def diagnosed(pair: Lab) -> Diagnosis:
    """As ``replfix diagnose`` does it, with the account that it has."""
    replica = MysqlServer(REPLFIX.at(pair.replica.host, pair.replica.port))
    source = MysqlServer(REPLFIX.at(pair.source.host, pair.source.port))
    try:
        found = investigate(replica, lambda _: source, None)
    finally:
        replica.close()
        source.close()
    assert found is not None
    return found


FOLLOWED = {
    "3819": "DROP CONSTRAINT `a_small`",
    "1146-row": "CREATE TABLE `d`.`t`",
    "1051": "SET SESSION gtid_next = ",
    "1008": "SET SESSION gtid_next = ",
    "1007": "SET SESSION gtid_next = ",
    "1050": "SET SESSION gtid_next = ",
    "1060": "SET SESSION gtid_next = ",
    "1061": "SET SESSION gtid_next = ",
    "1091": "SET SESSION gtid_next = ",
    "13146": "MODIFY COLUMN `a` int DEFAULT NULL",
    "13146-narrower": "MODIFY COLUMN `a` bigint DEFAULT NULL",
    "1048-statement": "MODIFY COLUMN `a` int DEFAULT NULL",
    "1364": "DROP COLUMN `c`",
    "1264": "MODIFY COLUMN `a` bigint DEFAULT NULL",
    "1406": "MODIFY COLUMN `b` varchar(20) DEFAULT NULL",
    "1366": "MODIFY COLUMN `b` varchar(20) DEFAULT NULL",
}
"""Errors whose advice holds the statements that end them, and what has to be in these."""


@pytest.mark.parametrize("name", FOLLOWED)
def test_the_statements_that_are_advised_end_the_error(pair: Lab, name: str) -> None:
    BROKEN[name].stage(pair)
    found = diagnosed(pair)
    assert not any(proposal.allowed for proposal in found.proposals)
    advised = [advice for advice in found.advice if advice.sql]
    assert len(advised) == 1
    assert any(FOLLOWED[name] in statement for statement in advised[0].sql)
    before = snapshot(pair.replica)
    with pair.replica.session() as session:
        for statement in advised[0].sql:
            session.execute(statement)
    pair.wait_until_applied()
    assert not [p for p in prove(pair.source, pair.replica, before) if not p.holds]
    with pair.source.session() as source, pair.replica.session() as replica:
        for schema, table in source.rows(
            "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA IN ('d', 'e')"
        ):
            create = f"SHOW CREATE TABLE `{schema}`.`{table}`"
            assert replica.rows(create) == source.rows(create)


SHOWN = {
    "1062-statement": ("INSERT INTO d.t VALUES (1, 2, 'y')",),
    "1062-ddl": ("ALTER TABLE d.t ADD UNIQUE KEY ab (a, b)", "the unique key ab over (a, b)", "(1, x) in 2 rows"),
    "1146-statement": ("ALTER TABLE d.t ADD COLUMN c INT", "The replica has no table d.t", "copy of the table"),
    "1049": ("The replica has no schema d",),
    "1054": ("ALTER TABLE d.t RENAME COLUMN a TO aa", "the replica lacks the column aa"),
    "1072": ("CREATE INDEX a ON d.t (a)", "the replica lacks the column a", "the replica lacks the key a"),
    "1837": ("ENGINE=MyISAM", "ENGINE=InnoDB"),
}
"""Errors in which more than one thing can be right: what a human is told."""


@pytest.mark.parametrize("name", SHOWN)
def test_what_differs_is_shown(pair: Lab, name: str) -> None:
    BROKEN[name].stage(pair)
    found = diagnosed(pair)
    assert not any(proposal.allowed for proposal in found.proposals)
    told = " ".join(advice.text for advice in found.advice)
    assert [words for words in SHOWN[name] if words not in told] == [], told
