"""The source turns the replication account away."""

from __future__ import annotations

import re

from replfix.core import sql
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies.remedy import SOURCE, LeadsTo, Remedy

FAMILY = Family(
    page="account-refused",
    kind=Kind.RECEIVER,
    thread=Thread.RECEIVER,
    errors={
        1045: "ER_ACCESS_DENIED_ERROR",
        1130: "ER_HOST_NOT_PRIVILEGED",
        1142: "ER_TABLEACCESS_DENIED_ERROR",
        1227: "ER_SPECIFIC_ACCESS_DENIED_ERROR",
        1251: "ER_NOT_SUPPORTED_AUTH_MODE",
        1698: "ER_ACCESS_DENIED_NO_PASSWORD_ERROR",
        1820: "ER_MUST_CHANGE_PASSWORD",
        1862: "ER_MUST_CHANGE_PASSWORD_LOGIN",
        2059: "CR_AUTH_PLUGIN_CANNOT_LOAD",
        2061: "CR_AUTH_PLUGIN_ERR",
        3118: "ER_ACCOUNT_HAS_BEEN_LOCKED",
        3159: "ER_SECURE_TRANSPORT_REQUIRED",
        3955: "ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK",
        13120: "ER_REPLICA_SOURCE_COM_FAILURE",
    },
    mariadb={
        1597: "ER_REPLICA_SOURCE_COM_FAILURE",
        4150: "ER_USER_IS_BLOCKED",
        4151: "ER_ACCOUNT_HAS_BEEN_LOCKED",
    },
    means=(
        "The source rejects the login of the channel's account: its password, its host, its lock, or the way it authenticates."
    ),
    replfix="Names what to check and the statements that fix it; changes nothing.",
    human="Correct the account on the source, or user and password of the replica's channel.",
)


_NO_TLS = 3159
_EXPIRED = (1820, 1862)
_LOCKED = (3118, 4151)
_NO_PRIVILEGE = (1142, 1227, 1597, 13120)
_REFUSED = re.compile(r"(?:Access|command) denied (?:for|to) user '(?P<user>[^']*)'@'(?P<host>[^']*)'")


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    errno, message = evidence.error.errno, evidence.error.message
    if errno == _NO_TLS:
        return (
            Remedy(
                "The source accepts encrypted connections only (require_secure_transport). This encrypts the channel's connection.",
                sql.change_source(evidence.named_channel, "SOURCE_SSL = 1"),
                LeadsTo.RECEIVER_RUNS,
            ),
        )
    if errno == 2061 or "caching_sha2_password" in message:
        return (
            Remedy(
                "The account uses caching_sha2_password, and the channel's connection is not encrypted: the password cannot be sent. Either of these makes the login possible; TLS is the better one.",
                sql.change_source(evidence.named_channel, "SOURCE_SSL = 1"),
                LeadsTo.RECEIVER_RUNS,
            ),
            Remedy(
                "Or, without TLS:",
                sql.change_source(evidence.named_channel, "GET_SOURCE_PUBLIC_KEY = 1"),
                LeadsTo.RECEIVER_RUNS,
            ),
        )
    named = _REFUSED.search(message)
    if errno in _NO_PRIVILEGE and named is not None:
        account = sql.account(named["user"], named["host"])
        return (
            Remedy(
                "The replica can log in, but its account lacks the privilege to read the binlog.",
                sql.by_hand((sql.grant(("REPLICATION SLAVE",), "*.*", account),), super_read_only=False),
                LeadsTo.NEXT_STEP,
                where=SOURCE,
            ),
            Remedy("Then start the receiver:", (sql.start_receiver(evidence.named_channel),), LeadsTo.RECEIVER_RUNS),
        )
    return (Remedy(_why(evidence)), *_shown(evidence))


def _why(evidence: Evidence) -> str:
    channel, errno = evidence.channel, evidence.error.errno
    at = f"The source {channel.source_host}:{channel.source_port}"
    user = f"the account {channel.source_user}" if channel.source_user else "the channel's account"
    if errno in _LOCKED:
        return f"{at} has locked {user}. ALTER USER … ACCOUNT UNLOCK there, for the account that is shown, then START REPLICA."
    if errno in _EXPIRED:
        return f"The password of {user} has expired on {at}. Set a new one there, and give it to the channel."
    if errno == 1130:
        return f"{at} has no account {user} for the replica's host. Create one there, with REPLICATION SLAVE, for the host in its message."
    return (
        f"{at} rejects the login of {user}: a changed or expired password, an account for another host or for encrypted connections only, or another server at that address. Try the login by hand from the replica's machine. Then STOP REPLICA IO_THREAD, CHANGE "
        "REPLICATION SOURCE TO the user and password that work, START REPLICA."
    )


def _shown(evidence: Evidence) -> tuple[Remedy, ...]:
    user = evidence.channel.source_user
    if not user:
        return ()
    return (
        Remedy(
            "This shows the accounts of that name on the source, and for which hosts they are.",
            (sql.accounts_named(user),),
            LeadsTo.NOTHING_CHANGED,
            where=SOURCE,
        ),
    )
