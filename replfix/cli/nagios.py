"""A status in the words of the monitoring plugins (Nagios, Icinga, Naemon): one line, performance data, four exit codes.

Source: Monitoring Plugins Development Guidelines. A server that cannot be reached is CRITICAL; UNKNOWN is for what is wrong with the
check itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replfix.core.binlog.secrets import without_passwords
from replfix.core.words import counted
from replfix.errors import UsageError
from replfix.present.safe_text import visible

if TYPE_CHECKING:
    from replfix.cli.documents.status import ChannelPart, StatusDocument

OK, WARNING, CRITICAL, UNKNOWN = range(4)
_WORST_FIRST = (CRITICAL, UNKNOWN, WARNING)
_NAMES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")


def line_of(state: int, text: str, data: str = "") -> str:
    """Return the plugin's line. What a server says has no | and no line end there."""
    harmless = visible(without_passwords(text), keep_newlines=False).replace("|", "/")
    return f"REPLFIX {_NAMES[state]} - {harmless}" + (f" | {data}" if data else "")


def verdict(document: StatusDocument, warning: int | None, critical: int | None) -> tuple[int, str]:
    """Return the exit code and the line. ``warning``, ``critical``: seconds of lag; None: lag is only reported."""
    found = [
        (UNKNOWN if lost.exit_code == UsageError.exit_code else CRITICAL, f"{lost.name}: {lost.message}")
        for lost in document.unreachable
    ]
    data: list[str] = []
    running = 0
    for replica in document.replicas:
        for channel in replica.channels:
            label = replica.name + (f"/{channel.name}" if channel.name else "")
            state, why = _state(channel, warning, critical)
            if state != OK:
                found.append((state, f"{label}: {why}"))
            running += state == OK
            if channel.lag_seconds is not None:
                limits = ";".join("" if limit is None else str(limit) for limit in (warning, critical))
                data.append(f"'{_label(label)}'={channel.lag_seconds}s;{limits};0")
    worst_first = sorted(found, key=lambda each: _WORST_FIRST.index(each[0]))
    if not worst_first:
        return OK, line_of(OK, f"{counted(running, 'channel')} running", " ".join(data))
    return worst_first[0][0], line_of(worst_first[0][0], "; ".join(text for _, text in worst_first), " ".join(data))


def _state(channel: ChannelPart, warning: int | None, critical: int | None) -> tuple[int, str]:
    error = channel.error or channel.receiver_error
    if error is not None:
        return CRITICAL, f"stopped with error {error.errno}: {error.message}"
    if not channel.applier_running or not channel.receiver_running:
        return CRITICAL, "stopped"
    lag = channel.lag_seconds
    if lag is None and (warning is not None or critical is not None):
        return WARNING, "lag is unknown"
    for limit, state in ((critical, CRITICAL), (warning, WARNING)):
        if limit is not None and lag is not None and lag >= limit:
            return state, f"lags by {lag} s"
    if channel.errant_gtid_set:
        return WARNING, f"errant transactions {channel.errant_gtid_set}"
    return OK, ""


def _label(text: str) -> str:
    """Return a label of performance data: no quote, no equals sign."""
    return visible(text, keep_newlines=False).replace("'", "").replace("=", "").replace("|", "")
