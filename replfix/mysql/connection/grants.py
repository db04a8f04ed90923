"""The GRANTs that an account lacks, as an administrator can run them: the one place for every refused statement."""

from __future__ import annotations

from collections.abc import Sequence

from replfix.core.connection.privileges import Need, Role, for_an_administrator, missing, parse_grants
from replfix.mysql.connection.dialects import dialect_of
from replfix.mysql.connection.session import Session

GRANTED = ("SELECT CURRENT_USER()", "SHOW GRANTS")
"""Who the account is, and what it may do."""


def give_everything(session: Session, role: Role, *also: Need) -> str:
    """Return the GRANTs for all that replfix needs of a server in that role and the account lacks, and ``also``."""
    account = str(session.scalar(GRANTED[0]))
    granted = parse_grants(account, (str(row[0]) for row in session.rows(GRANTED[1])), dialect_of(session).needs)
    lacking = [need for need in (*also, *missing(granted, role)) if not granted.has(need)]
    return give(session, account, lacking)


def give(session: Session, account: str, needs: Sequence[Need]) -> str:
    """Return the GRANTs for those needs, in a sentence for people."""
    shut = not session.is_mariadb and str(session.scalar("SELECT @@global.super_read_only")) == "1"
    return for_an_administrator(str(session.endpoint), account, needs, super_read_only=shut)
