"""The source turns the replication account away."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.evidence import Evidence
from replfix.core.known_error import Family, Kind, Thread
from replfix.core.remedy import SOURCE, LeadsTo, Remedy

FAMILY = Family(
    page="account-refused",
    kind=Kind.RECEIVER,
    thread=Thread.RECEIVER,
    errors={
        1045: "ER_ACCESS_DENIED_ERROR",
        1130: "ER_HOST_NOT_PRIVILEGED",
        1142: "ER_TABLEACCESS_DENIED_ERROR",
        1227: "ER_SPECIFIC_ACCESS_DENIED_ERROR",
        1698: "ER_ACCESS_DENIED_NO_PASSWORD_ERROR",
        2059: "CR_AUTH_PLUGIN_CANNOT_LOAD",
        2061: "CR_AUTH_PLUGIN_ERR",
        3118: "ER_ACCOUNT_HAS_BEEN_LOCKED",
        13120: "ER_REPLICA_SOURCE_COM_FAILURE",
    },
    means=(
        "The source does not let the channel's account in: its password, its host, its lock, or the way it "
        "authenticates."
    ),
    replfix="Says what to look at and the statements that put it right; changes nothing.",
    human="Put the account right on the source, or user and password in the channel of the replica.",
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    errno, channel = evidence.error.errno, evidence.channel
    mariadb = evidence.status.product == "MariaDB"
    if errno == 2061 or "caching_sha2_password" in evidence.error.message:
        return (
            Remedy(
                "The account uses caching_sha2_password, and the channel's connection is not encrypted: the password cannot be "
                "sent. Either of these lets it in; TLS is the better one.",
                sql.change_source(channel.name, "SOURCE_SSL = 1", mariadb=mariadb),
                LeadsTo.RECEIVER_RUNS,
            ),
            Remedy(
                "Or, without TLS:",
                sql.change_source(channel.name, "GET_SOURCE_PUBLIC_KEY = 1", mariadb=mariadb),
                LeadsTo.RECEIVER_RUNS,
            ),
        )
    if errno == 13120 or errno in (1142, 1227):
        return (
            Remedy(
                "The account lets the replica in, and lacks the privilege to read the binlog. On the source (with the account's "
                "own name and host):",
                ("GRANT REPLICATION SLAVE ON *.* TO 'account'@'host'",),
                LeadsTo.NEXT_STEP,
                SOURCE,
            ),
            _start(channel.name),
        )
    if errno == 3118:
        unlock = ("ALTER USER 'account'@'host' ACCOUNT UNLOCK",)
        return (
            Remedy("The account is locked. On the source:", unlock, LeadsTo.NEXT_STEP, SOURCE),
            _start(channel.name),
        )
    return (
        Remedy(
            f"The source {channel.source_host}:{channel.source_port} refuses the channel's account: a changed or expired "
            "password, an account for another host, or another server behind that address. Try the login by hand from the "
            "replica's machine; then give the channel what works:",
            sql.change_source(channel.name, "SOURCE_USER = 'user', SOURCE_PASSWORD = 'password'", mariadb=mariadb),
            LeadsTo.RECEIVER_RUNS,
        ),
    )


def _start(channel: str) -> Remedy:
    return Remedy("Then start the receiver:", (sql.start_receiver(channel),), LeadsTo.RECEIVER_RUNS)
