"""One line of a log: what its transport (journald, syslog, a container's runtime) wrote before the program's own text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from replfix.core.explain.log.log_time import find_time, time_of_document

JSON_LENGTH = 256_000
LAYERS = 3
"""Transports in one another: a container's log that was shipped through journald."""

_ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)"
_STAMPED = re.compile(
    # CRI: P is a part of a line, F its end
    rf"(?P<cri>{_ISO}) (?P<stream>stdout|stderr) (?P<flag>[PF])(?::\S{{1,20}})? "
    # journalctl -o short-iso, rsyslog's default since 2012
    rf"|(?P<iso>{_ISO}) (?P<iso_source>[\w.:-]{{1,255}} [^\s:\[\]]{{1,64}}\[\d{{1,10}}\]): ?"
    # kubectl logs --timestamps, docker logs -t: nanoseconds
    r"|(?P<nano>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7,9}(?:Z|[+-]\d\d:\d\d)) "
    # RFC 3164, journalctl -o short
    r"|(?:<\d{1,3}>)?(?P<bsd>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?) "
    r"(?P<bsd_source>[\w.:-]{1,255} [^\s:\[\]]{1,64}(?:\[\d{1,10}\])?): ?"
    # RFC 5424
    r"|<\d{1,3}>1 (?P<rfc>\S{10,40}) (?P<rfc_source>\S{1,255} \S{1,48} \S{1,128}) \S{1,32} (?:-|\[[^\n]{0,400}?\](?= )) ?"
    # kubectl logs --prefix, docker compose logs
    r"|\[pod/(?P<pod>[^\]\s]{1,300})\] |(?P<service>[\w.-]{1,100}[-_]\d{1,4}) +\| "
)


class LogLine(NamedTuple):
    """A line taken apart. ``text`` is what the program wrote, ``time`` and ``source`` are what is written before that."""

    text: str
    time: str | None = None
    source: str = ""  # host, process or container; empty where the line names none
    partial: bool = False  # the program's line goes on in the next line of the source
    transported: bool = False  # anything was taken off


def might_be_partial(text: str) -> bool:
    """Return whether any line of the text can be a part of another: seen at a glance."""
    # Of Docker's own files, the last part ends with a line's end.
    return " P " in text or " P:" in text or text.count('","stream":') != text.count(r'\n","stream":')


def split(line: str) -> LogLine:
    """Take a line apart. Never raises."""
    time: str | None = None
    source = ""
    partial = transported = False
    for _ in range(LAYERS):
        if line.startswith("{"):
            found = _of_document(line)
            if found is None:
                break
            line, own_time, own_source, partial = found
        else:
            if not _can_be_stamped(line):
                break
            stamped = _STAMPED.match(line)
            if stamped is None:
                break
            groups = stamped.groupdict()
            own_time = groups["cri"] or groups["iso"] or groups["nano"] or groups["bsd"] or groups["rfc"]
            own_source = (
                groups["iso_source"]
                or groups["bsd_source"]
                or groups["rfc_source"]
                or groups["pod"]
                or groups["service"]
                or groups["stream"]
                or ""
            )
            partial = groups["flag"] == "P"
            line = line[stamped.end() :]
        transported = True
        time = time or own_time
        source = f"{source} {own_source}" if source and own_source else source or own_source
    return LogLine(line, time, source, partial, transported)


def joined(lines: Iterable[str]) -> list[tuple[str, LogLine]]:
    """Return each line as it is written and taken apart; the parts of one, in one, where the first of them is.

    The streams of one container are interleaved: a part goes on in the next line of its own source. What is joined has
    no transport's words any more, as it has several.
    """
    found: list[tuple[str, LogLine]] = []
    open_: dict[str, int] = {}  # by source: the line to which its next part belongs
    for written in lines:
        line = split(written)
        at = open_.get(line.source) if line.transported else None
        if at is None:
            at = len(found)
            found.append((line.text if line.partial else written, line))
        else:
            text = found[at][1].text + line.text
            found[at] = text, found[at][1]._replace(text=text, partial=line.partial)
        if line.partial:
            open_[line.source] = at
        elif line.transported:
            open_.pop(line.source, None)
    return found


def _can_be_stamped(line: str) -> bool:
    """Return whether ``_STAMPED`` can match: most lines cannot, and that is seen at a glance."""
    if line[10:11] == "T" or line[:1] == "<" or (line[3:4] == line[6:7] == " ") or line.startswith("[pod/"):
        return True
    bar = line.find("| ", 0, 110)
    return bar > 0 and line[bar - 1] == " "


def _of_document(line: str) -> tuple[str, str | None, str, bool] | None:
    """Return text, time, source and whether it is a part, of a JSON line that a transport wrote; None for any other."""
    if len(line) > JSON_LENGTH or not any(name in line for name in ('"log"', '"MESSAGE"', '"textPayload"')):
        return None
    try:
        document: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    time = time_of_document(line)
    text = document.get("log")
    if isinstance(text, str) and ("stream" in document or "kubernetes" in document):
        where = document.get("kubernetes")
        pod = str(where.get("pod_name", "")) if isinstance(where, dict) else ""
        partial = not text.endswith("\n") and "kubernetes" not in document
        return text.rstrip("\n"), time, pod or str(document.get("stream", "")), partial
    text = document.get("MESSAGE")
    if isinstance(text, list):  # journald writes bytes that are no UTF-8, or contain control characters, as numbers
        text = _of_numbers(text)
    if isinstance(text, str) and ("__REALTIME_TIMESTAMP" in document or "_BOOT_ID" in document):
        process = document.get("SYSLOG_IDENTIFIER", document.get("_COMM", ""))
        return text, time, f"{document.get('_HOSTNAME', '')} {process}[{document.get('_PID', '')}]", False
    text = document.get("textPayload")
    if isinstance(text, str):
        resource = document.get("resource")
        labels = resource.get("labels") if isinstance(resource, dict) else None
        return text.rstrip("\n"), time, " ".join(map(str, labels.values())) if isinstance(labels, dict) else "", False
    return None


def _of_numbers(numbers: list[Any]) -> str | None:
    try:
        return bytes(int(number) for number in numbers).decode("utf-8", "replace")
    except (ValueError, TypeError):
        return None


_LABEL = re.compile(r"(?P<word>[^\W\d_]{2,20}(?: NAME)?|文) ?\Z")
_PROCESS = re.compile(r"\[(\d{1,10})\]")
_LINE_NUMBER = re.compile(r"\[\d+-\d+\]|-\d+(?=[\]\s:])")
LABELLED = 300
LABEL = 26

SEVERITIES = frozenset(
    [
        "ERROR",
        "LOG",
        "FATAL",
        "PANIC",
        "WARNING",
        "NOTICE",
        "INFO",
        "DEBUG",
        "FEHLER",
        "WARNUNG",
        "ERREUR",
        "ATTENTION",
        "ERRORE",
        "ОШИБКА",
        "ПРЕДУПРЕЖДЕНИЕ",
        "СООБЩЕНИЕ",
        "BŁĄD",
        "ERRO",
        "AVISO",
        "HATA",
        "错误",
        "警告",
        "오류",
        "エラー",
    ]
)


@dataclass(frozen=True, slots=True)
class PostgresqlLine:
    """A line of PostgreSQL's own log: its label (ERROR, DETAIL, …, in any language) and the session that wrote it."""

    label: str
    session: str


def postgresql_line(text: str) -> PostgresqlLine | None:
    """Return whose line it is; None when it is no line with a label. The label ends with a colon and two spaces."""
    ends = text.find(":  ", 0, LABELLED)
    label = _LABEL.search(text, max(0, ends - LABEL), ends) if ends > 0 else None
    if label is None:
        return None
    before = text[: label.start()]
    process = _PROCESS.search(before)
    if process is not None:
        return PostgresqlLine(label["word"], process[1])
    time = find_time(before)
    return PostgresqlLine(label["word"], _LINE_NUMBER.sub("", before[time[2] :] if time else before).strip())
