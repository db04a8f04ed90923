"""The source turns the replication account away."""

from __future__ import annotations

from replfix.core.known_error import Family, Kind, Thread

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
