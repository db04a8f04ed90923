"""Checks of one server, replica or source."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from replfix.core.connection.privileges import Role
from replfix.core.connection.tls import TlsMode
from replfix.core.diagnosis.finding import Finding, Severity
from replfix.core.doctor.checkup import ServerFacts
from replfix.core.remedies.remedy import to_do

_DAY = 86_400

# The last day on which each series gets fixes, as the makers announced it.
END_OF_LIFE = {
    False: {
        (5, 6): date(2021, 2, 5),
        (5, 7): date(2023, 10, 31),
        (8, 0): date(2026, 4, 30),
        (8, 4): date(2032, 4, 30),
    },
    True: {
        (10, 4): date(2024, 6, 18),
        (10, 5): date(2025, 6, 24),
        (10, 6): date(2026, 7, 6),
        (10, 11): date(2028, 2, 16),
        (11, 4): date(2029, 5, 29),
    },
}
CLOCK_SECONDS = 2.0
"""A clock that is further away is worth a word: times in diagnoses and lags come from it."""


def series(version: str) -> tuple[int, int] | None:
    """Return major and minor version, None for a text without them."""
    found = re.match(r"(\d{1,3})\.(\d{1,3})", version)
    return (int(found[1]), int(found[2])) if found else None


def code(facts: ServerFacts, name: str) -> str:
    """Return the check's code, with the server's role in it."""
    return f"{facts.role}-{name.replace('_', '-')}"


def setting(facts: ServerFacts, name: str, value: object) -> str:
    """MariaDB has no SET PERSIST: there the option file has to say it too."""
    if facts.mariadb:
        return f"SET GLOBAL {name} = {value}; (and in the option file)"
    return f"SET PERSIST {name} = {value};"


def is_set(
    name: str, good: tuple[str, ...], verdict: Severity, why: str, wanted: str = ""
) -> Callable[[ServerFacts], Finding | None]:
    """Return a check that a variable has one of the values that replfix works with."""

    def check(facts: ServerFacts) -> Finding | None:
        value = facts.variables.get(name)
        if value is None:
            return None
        if value.upper() in good:
            return Finding(code(facts, name), Severity.INFO, f"{name} is {value} on the {facts.role}.")
        fix = setting(facts, name, wanted) if wanted else ""
        return Finding(code(facts, name), verdict, f"{name} is {value} on the {facts.role}: {why}.", fixes=to_do(fix))

    return check


def end_of_life(facts: ServerFacts, today: date) -> Finding:
    """Check whether the server's series still gets fixes."""
    product = "MariaDB" if facts.mariadb else "MySQL"
    at = series(facts.version)
    ends = END_OF_LIFE[facts.mariadb].get(at) if at else None
    if ends is not None and ends < today:
        return Finding(
            code(facts, "version"),
            Severity.WARNING,
            f"{product} {facts.version} on the {facts.role}: its series has had no fixes since {ends}.",
            fixes=to_do("Plan an upgrade, the replicas first."),
        )
    return Finding(code(facts, "version"), Severity.INFO, f"The {facts.role} runs {product} {facts.version}.")


def clock(facts: ServerFacts) -> Finding:
    """Check the server's clock against this machine's."""
    offset, within = facts.clock.offset, facts.clock.uncertainty
    said = (
        f"The clock of the {facts.role} is {abs(offset):.1f} s {'ahead of' if offset > 0 else 'behind'} this machine's"
    )
    if abs(offset) - within > CLOCK_SECONDS:
        return Finding(
            code(facts, "clock"),
            Severity.WARNING,
            f"{said} (give or take {within:.2f} s): times of events, lags and records do not match.",
            fixes=to_do("Let NTP or chrony set the clocks."),
        )
    return Finding(
        code(facts, "clock"),
        Severity.INFO,
        f"The clock of the {facts.role} is this machine's, within {CLOCK_SECONDS:.0f} s.",
    )


def connection(facts: ServerFacts) -> Finding:
    """Check replfix's own connection: no password is sent in the clear, but what is overheard can be tried against it."""
    of, name = facts.connected, code(facts, "connection")
    if not of.encrypted:
        if of.local:
            return Finding(
                name, Severity.INFO, f"replfix's connection to the {facts.role} is not encrypted, on this very machine."
            )
        what = "rows, and the account's login," if of.with_password else "rows"
        return Finding(
            name,
            Severity.WARNING,
            f"replfix's connection to the {facts.role} is not encrypted: {what} cross the network in the open.",
            fixes=to_do("Set up TLS on the server, and connect with ssl-mode=REQUIRED or, better, VERIFY_IDENTITY."),
        )
    checked = {
        TlsMode.VERIFY_CA: "its certificate is checked, for whatever host",
        TlsMode.VERIFY_IDENTITY: "its certificate is checked, and is for this host",
    }.get(of.mode, f"its certificate is not checked (ssl-mode={of.mode})")
    return Finding(
        name,
        Severity.INFO,
        f"replfix's connection to the {facts.role} is encrypted ({of.tls_version}, {of.cipher}); {checked}.",
        fixes=to_do("" if of.mode.verifies or of.local else _to_verify(mariadb=facts.mariadb)),
    )


def _to_verify(*, mariadb: bool) -> str:
    """Return what to do: MariaDB keeps its own certificate (11.4 and later) in no file, and @@ssl_ca is NULL (11.8.9)."""
    whose = (
        "Give the server a certificate (ssl_cert, ssl_key), for one that it makes for itself is in no file and another one after each start, and"
        if mariadb
        else "With the authority that the server made for itself (SELECT @@ssl_ca there: ca.pem in its data directory):"
    )
    return (
        f"Somebody on the way could impersonate it. {whose} copy the authority's certificate here and set ssl_ca to it in replfix.toml, or ssl-ca "
        "in the URL: then it is checked."
    )


def binary_log(facts: ServerFacts) -> Finding:
    """Check that the server writes a binlog."""
    if facts.on("log_bin"):
        return Finding(code(facts, "binlog"), Severity.INFO, f"The {facts.role} writes a binlog.")
    if facts.role is Role.SOURCE:
        return Finding(
            code(facts, "binlog"), Severity.CRITICAL, "The source writes no binlog: nothing can be replicated from it."
        )
    return Finding(
        code(facts, "binlog"),
        Severity.WARNING,
        "The replica writes no binlog of its own: who wrote a divergent row cannot be found.",
    )


def row_metadata(facts: ServerFacts) -> Finding | None:
    """Check binlog_row_metadata."""
    value = facts.variables.get("binlog_row_metadata")
    if value is None:
        return None
    if value.upper() == "FULL":
        return Finding(
            code(facts, "binlog-row-metadata"), Severity.INFO, f"binlog_row_metadata is FULL on the {facts.role}."
        )
    return Finding(
        code(facts, "binlog-row-metadata"),
        Severity.INFO,
        f"binlog_row_metadata is {value} on the {facts.role}: names of columns come from its tables as they are now. After "
        "an ALTER TABLE, older events can only be read with FULL.",
    )


def expiry(facts: ServerFacts) -> Finding | None:
    """Check how long the server keeps binlogs."""
    seconds = facts.number("binlog_expire_logs_seconds")
    if seconds is None:
        return None
    if 0 < seconds < _DAY:
        return Finding(
            code(facts, "binlog-expiry"),
            Severity.WARNING,
            f"The {facts.role} keeps binlogs for {seconds / 3600:.1f} hours: a replica that is stopped for a night is lost.",
            fixes=to_do(setting(facts, "binlog_expire_logs_seconds", 7 * _DAY)),
        )
    kept = "for ever" if seconds == 0 else f"for {seconds / _DAY:.0f} days"
    return Finding(code(facts, "binlog-expiry"), Severity.INFO, f"The {facts.role} keeps binlogs {kept}.")
