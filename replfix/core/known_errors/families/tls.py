"""Source and replica do not agree on an encrypted connection."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies.remedy import LeadsTo, Remedy

FAMILY = Family(
    page="tls",
    kind=Kind.RECEIVER,
    thread=Thread.RECEIVER,
    errors={
        2026: "CR_SSL_CONNECTION_ERROR",
    },
    means=(
        "The source answers, but the encrypted connection to it fails: a certificate that is not trusted, has expired or is for another name, or no TLS version that both accept."
    ),
    replfix="Compares what both servers accept, and shows the channel's settings; changes nothing.",
    human=(
        "Give the channel the certificate authority that signed the source's certificate (SOURCE_SSL_CA), or the source a certificate "
        "that is valid and has its name. Leave SOURCE_SSL_VERIFY_SERVER_CERT on."
    ),
    settings=("tls_version", "ssl_ca", "ssl_cert", "require_secure_transport"),
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    return (*_versions(evidence), Remedy(FAMILY.human), *_shown(evidence))


def _versions(evidence: Evidence) -> tuple[Remedy, ...]:
    if evidence.settings is None:
        return ()
    ours, theirs = (of["tls_version"] or "none" for of in (evidence.settings.replica, evidence.settings.source))
    certificate = evidence.settings.source["ssl_cert"] or "none"
    return (Remedy(f"The replica takes {ours}, the source {theirs}; the source's certificate is {certificate}."),)


def _shown(evidence: Evidence) -> tuple[Remedy, ...]:
    if evidence.status.product == "MariaDB":
        return ()
    return (
        Remedy(
            "This shows the channel's settings.",
            (sql.channel_settings(evidence.channel.name),),
            LeadsTo.NOTHING_CHANGED,
        ),
    )
