"""Sets of transactions, and nothing in the place of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from replfix.core.sql.names import string
from replfix.core.sql.session_statements import set_gtid_next, set_session_number


def delete_gtid_positions(domain: int, number: int) -> str:
    """Delete the rows of MariaDB's table of applied GTIDs from that number on: numbers not yet assigned by the server."""
    return f"DELETE FROM mysql.gtid_slave_pos WHERE domain_id = {domain:d} AND sub_id >= {number:d}"


def empty_transaction(gtid: str) -> tuple[str, ...]:
    """Commit nothing under that GTID: the applier skips every transaction that is in gtid_executed."""
    return (set_gtid_next(gtid), "BEGIN", "COMMIT", set_gtid_next("AUTOMATIC"))


def empty_transactions(gtids: Sequence[str]) -> tuple[str, ...]:
    """Do as ``empty_transaction`` for several, one after the other."""
    each = (statement for gtid in gtids for statement in empty_transaction(gtid)[:-1])
    return (*each, set_gtid_next("AUTOMATIC"))


def under_gtid(gtid: str, statements: Sequence[str]) -> tuple[str, ...]:
    """Commit the statements as one transaction with that GTID: a server that has the GTID skips it."""
    return (set_gtid_next(gtid), "BEGIN", *statements, "COMMIT", set_gtid_next("AUTOMATIC"))


@dataclass(frozen=True, slots=True)
class Numbered:
    """A MariaDB GTID."""

    domain: int
    server: int
    number: int


def nothing_numbered(gtids: Sequence[Numbered]) -> tuple[str, ...]:
    """Return statements that MariaDB logs under those GTIDs and that change nothing (11.8.6 logs no empty transaction)."""
    return numbered(gtids, ())


def numbered(gtids: Sequence[Numbered], statements: Sequence[str]) -> tuple[str, ...]:
    """Do as ``nothing_numbered``, with the statements as one transaction under the last of those GTIDs."""
    if not gtids:
        return ()
    nothing = ("DROP PROCEDURE IF EXISTS `mysql`.`replfix_nothing`",)
    written = ("BEGIN", *statements, "COMMIT") if statements else nothing
    each = (
        statement
        for gtid in gtids
        for statement in (
            set_session_number("gtid_domain_id", gtid.domain),
            set_session_number("server_id", gtid.server),
            set_session_number("gtid_seq_no", gtid.number),
            *(written if gtid is gtids[-1] else nothing),
        )
    )
    return (*each, "SET SESSION gtid_domain_id = DEFAULT", "SET SESSION server_id = DEFAULT")


def still_in_binlog(gtids: str) -> str:
    """Query which GTIDs of a set the server would send to a replica that lacks them."""
    return f"SELECT GTID_SUBTRACT({string(gtids)}, @@GLOBAL.gtid_purged)"


BINLOG_STATE = "SELECT @@GLOBAL.gtid_binlog_state"


def executed_everywhere(*, mariadb: bool) -> str:
    """Query what a server has executed, its own transactions and its sources'."""
    return f"SELECT @@GLOBAL.{'gtid_binlog_state' if mariadb else 'gtid_executed'}"


LENIENT = "SET GLOBAL gtid_strict_mode = OFF"
"""MariaDB logs what arrives with a number that is not above those that it has logged."""
