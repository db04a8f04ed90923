"""What a log says at one place: an error, who wrote it when, and what the line looks like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from replfix.core.explain.duplicate import Duplicate, Product
from replfix.core.explain.log.encodings import decoded
from replfix.core.explain.log.log_line import SEVERITIES, LogLine, joined, postgresql_line, split
from replfix.core.explain.log.log_time import find_time, seconds_of, time_of, time_of_document
from replfix.core.explain.log.server_words import NEEDLES, Named, named, of_postgresql, violation
from replfix.core.explain.recognise import recognise
from replfix.core.explain.text.flatten import flat
from replfix.core.explain.text.postgresql_csvlog import CsvRecord, as_stderr, record_at

AHEAD = 8 * 1024
"""Bytes before an error in which the beginning of its line and the time of it are looked for."""
RECORD = 16 * 1024
"""Bytes from an error on in which the rest of it is looked for: its line, its stack trace, its statement."""
LINES = 80
BEFORE = 2_000
"""Characters of a line that are read before an error in it."""
KEPT = 6 * 1024
"""Bytes of an error's text that are kept, to be explained."""
SHAPE = 160
REPEATED = 4
"""Places of a text that is kept in which its error is looked for."""

_CONTINUES = re.compile(
    r"\s|Caused by|###|\.\.\. |;|\[SQL|\[parameters|\(Background|The above exc|During hand|#\d+ |\}|\)|"
    r"DETAIL|HINT|STATEMENT|CONTEXT|nested exc|Next |from \S+:\d+:in|goroutine |Stack trace|exit status|at \S+\("
)
_USUAL = re.compile(rb"Duplicate entry '([^'\\\n]{0,200})' for key '([^'\\\n]{1,200})'(?=[\s\"',;)\]}|]|\.[\s<]|$)")
_USUAL_WORDS = b" for key "
_TRANSPORTS = (b'"log"', b'"MESSAGE"', b'"textPayload"')
_FIELD = re.compile(r'"(\w{1,60})\\*"\s?:\s?\\*"?[^"]*\Z')
_BEGINS = re.compile(r"Traceback|Error: |panic: |PHP |Uncaught |(?:[\w$]+[.:\\]{1,2}){0,12}\w*(?:Error|Exception)\b")
# A part of what is before it, at a glance: without a number there is no time of its own.
_SURE_PARTS = (b"Caused by", b"\t", b"  ")
_DIGIT = re.compile(rb"\d")
_LEVEL = re.compile(r"\s*(?:TRACE|DEBUG|INFO|NOTICE|WARN|ERROR|FATAL|SEVERE|CRIT)")
_VARYING = b"0123456789abcdefABCDEF-"
"""Numbers, hexadecimal ones and UUIDs: what is left of two lines is the same when only these differ."""
_CHAINED = (b"The above exception was the direct cause", b"During handling of the above exception")
_HINTS = (b"insert", b"replace", b"update", b"on table", b"table name", b"alter", b"relation", b"copy", b"into table")
_NAMES_TABLE = re.compile(
    rb"(?:insert\s+(?:\w+\s+){0,2}?into|replace(?:\s+\w+)?\s+into|update|on table|table name:|alter\s+table|relation|"
    rb"copy|into table)\s+[`\"']?([^\s`\"'(;,]{1,128})"
)
_CSV = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [^,\n]{1,8},")
_LAST_LABELS = frozenset(("STATEMENT", "ANWEISUNG", "SENTENCIA", "INSTRUCTION", "ОПЕРАТОР"))
CUT = 400
"""Characters before the end of a part of a line, in which an error can be cut."""
MARKED = 400
"""Bytes of a line in which the process of a PostgreSQL session is."""
TEXTS = 1_000
"""Texts whose table is remembered."""


class LoggedError(NamedTuple):
    """One error of a log, without the log: a text of ``KEPT`` bytes at most is kept of it, to be explained."""

    dialect: Product
    key: str
    value: str | None  # None: not in the log
    schema: str | None  # this and the table: only of a key that is not named with its table
    table: str | None
    at: str | None  # the time of its line, else of the line before it that has one
    seconds: int | None
    record: bytes
    whole: bool  # the record is this error alone, without what transports wrote; else other lines can follow it

    def named(self) -> Duplicate:
        """Return the error with what the log's counting knows of it."""
        return Duplicate(self.dialect, "plain", self.key, self.value, schema=self.schema, table=self.table)

    def duplicate(self) -> Duplicate:
        """Return the error with all that its text has, as far as it is kept."""
        best: Duplicate | None = None
        for text in self._texts():
            for one in recognise(text):
                if (one.key, one.value) != (self.key, self.value):
                    continue
                if one.statement is not None:
                    return one
                best = one if best is None or (best.table is None and one.table is not None) else best
        return best or self.named()

    def _texts(self) -> Iterator[str]:
        """Yield the texts of the error: the log repeats it, and only one of its lines may have the statement."""
        if self.whole:
            yield self.record.decode("utf-8", "replace")
            return
        reader, at = MentionReader(), max(0, next_place(self.record, 0))
        for _ in range(REPEATED):
            mentions, ends = reader.at(self.record, at, 0)
            for mention in mentions:
                if (mention.key, mention.value) == (self.key, self.value):
                    yield mention.text()
            at = next_place(self.record, ends)
            if at < 0:
                return


class Mention:
    """One error as one line of a log has it, while the line is in sight. What costs time is found when it is asked for."""

    __slots__ = ("_known", "_place", "_shape", "dialect", "key", "value")

    def __init__(self, place: Place, dialect: Product, key: str, value: str | None) -> None:
        self.dialect = dialect
        self.key = key
        self.value = value
        self._place = place
        self._known: tuple[str | None, str | None] | None = None
        self._shape: bytes | None = None

    @property
    def source(self) -> str:
        """Host, process, container or session; empty where the log names none."""
        return self._place.source

    @property
    def offset(self) -> int:
        """Where in the log the line's first error is, in bytes."""
        return self._place.offset

    @property
    def own_time(self) -> bool:
        """Whether the line itself has a time."""
        return self._place.own is not None

    @property
    def at(self) -> str | None:
        """The time of the line, else of the line before it that has one."""
        own = self._place.own
        return own if own is not None else self._place.head()[0]

    @property
    def shape(self) -> bytes:
        """What is before the message, without what varies: the same words twice are two errors, as a rule."""
        if self._shape is None:
            head = b"" if self.own_time else self._place.head()[1]
            self._shape = head + _shape(self._place.rest[-SHAPE:])
        return self._shape

    @property
    def continues(self) -> bool:
        """Whether the line looks like a part of what is before it."""
        return self._place.continues

    @property
    def alone(self) -> bool:
        """Whether the server itself wrote the line, which never repeats an error."""
        return self._place.alone

    @property
    def begins(self) -> bool:
        """Whether a traceback or an exception is at the beginning of the line."""
        place = self._place
        return not (place.continues or place.whole or place.document) and _BEGINS.match(place.rest) is not None

    @property
    def chained_at(self) -> int:
        """Where in the log the words are that join this traceback to the one before it; -1 for none."""
        return self._place.chained_at() if self.begins else -1

    @property
    def line(self) -> int:
        """A number of the line up to the message: two that are the same to the last letter have the same."""
        return hash((self._place.own, self._place.first))

    def named_table(self) -> tuple[str | None, str | None]:
        """Return the schema and table that the text has beside a key that is not named with its table."""
        if self._known is None:
            self._known = (None, None) if "." in self.key else self._place.table(self.key, self.value)
        return self._known

    def text(self) -> str:
        """Return the text of the error alone."""
        return self._place.text()

    def kept(self) -> LoggedError:
        """Return what is kept when the log goes on."""
        at = self.at
        schema, table = self.named_table()
        place = self._place
        if place.whole:
            record = place.whole.encode("utf-8", "replace")[:KEPT]
        else:
            record = place.buffer[place.begins : place.begins + KEPT]
        seconds = seconds_of(at) if at is not None else None
        return LoggedError(self.dialect, self.key, self.value, schema, table, at, seconds, record, bool(place.whole))


class Place:
    """A line of the log with an error in it, and what is around it. Offsets without a name are the buffer's."""

    __slots__ = (
        "alone",
        "begins",
        "buffer",
        "continues",
        "document",
        "ends",
        "first",
        "line",
        "offset",
        "own",
        "reader",
        "rest",
        "source",
        "whole",
    )

    def __init__(
        self, reader: MentionReader, buffer: bytes, begins: int, ends: int, line: LogLine, offset: int
    ) -> None:
        self.reader = reader
        self.buffer = buffer
        self.begins = begins
        self.ends = ends
        self.line = line
        self.offset = offset
        self.source = line.source
        self.own = line.time
        self.whole = ""  # the error's text, where it is not simply the lines from here on
        self.first = self.rest = ""  # what is before the message: with the line's time, and without
        self.continues = False
        self.document = False  # a line of JSON
        self.alone = False  # a line of the server's own log

    def before(self, first: str) -> None:
        """Take what is before the message apart."""
        self.first = self.rest = first
        found = find_time(first)
        if found is not None:
            self.own = self.own or found[0]
            rest = first[found[2] :]
            # Containers' runtimes write a time and one space: what is indented then is so by the program.
            indented = "T" in found[0] and rest[:1] == " " and not _LEVEL.match(rest)
            self.rest = rest[1:] if indented else rest.lstrip(" ]")
        self.continues = _CONTINUES.match(self.rest) is not None

    def head(self) -> tuple[str | None, bytes]:
        """Return the time of the last line before it that has one, and what that line looks like."""
        return self.reader.head(self.buffer, self.begins, self.offset)

    def chained_at(self) -> int:
        """Return the log's offset of the words that join two tracebacks; -1 for none."""
        found = max(self.buffer.rfind(words, max(0, self.begins - AHEAD), self.begins) for words in _CHAINED)
        return found if found < 0 else self.offset - self.begins + found

    def text(self) -> str:
        """Return the text of the error alone, without what transports wrote."""
        if self.document and not self.whole:
            self.whole = flat(decoded(self.buffer[self.begins : self.ends]))
        if self.whole:
            return self.whole
        ends = _record_end(self.buffer, self.ends, self.line, self.own is not None or self.head()[0] is not None)
        return "\n".join(line.text for _, line in joined(decoded(self.buffer[self.begins : ends]).split("\n")))

    def table(self, key: str, value: str | None) -> tuple[str | None, str | None]:
        """Return the schema and table in the error's text."""
        if self.whole or self.document:
            record = self.text().encode("utf-8", "replace")
        else:
            ends = _record_end(self.buffer, self.ends, self.line, self.own is not None or self.head()[0] is not None)
            record = self.buffer[self.begins : ends]
        names = _table_names(record)
        return self.reader.table(key, value, names, self) if names else (None, None)


class MentionReader:
    """Reads what a log says at the places where the words of an error are."""

    def __init__(self) -> None:
        self._tables: dict[tuple[str, tuple[bytes, ...]], tuple[str | None, str | None]] = {}
        self._head: tuple[str | None, bytes] = None, b""
        self._headed = -1  # up to this place of the log, that is the last line with a time

    def at(self, buffer: bytes, hit: int, base: int) -> tuple[list[Mention], int]:
        """Return the errors of the line in which ``hit`` is, and the place in the buffer after it.

        ``base``: the buffer's place in the log.
        """
        begins = buffer.rfind(b"\n", max(0, hit - AHEAD), hit) + 1
        newline = buffer.find(b"\n", hit, hit + RECORD)
        ends = newline if newline >= 0 else min(len(buffer), hit + RECORD)
        fast = self._at_once(buffer, begins, hit, ends, base) if newline >= 0 else None
        if fast is not None:
            return [fast], ends
        if _CSV.match(buffer, begins) and (record := _csv_record(buffer, begins)) is not None:
            return self._of_csv(buffer, begins, record[0], base), max(record[1], hit + 1)
        if hit - begins > BEFORE and not buffer.startswith(b"{", begins):
            begins = hit - BEFORE
        line = split(decoded(buffer[begins:ends]).rstrip("\r"))
        text, after, partial = line.text, ends, line.partial
        while partial and after < len(buffer) and after - begins < RECORD:
            more, after = _next_line(buffer, after)
            part = split(more)
            if part.source == line.source:  # the streams of one container are interleaved
                text, partial = text + part.text, part.partial
        place = Place(self, buffer, begins, after, line, base + begins)
        if "{" in text[:400] and text.rstrip().endswith("}") and (flattened := flat(text)) != text:
            return self._of_document(place, text, flattened), max(after, hit + 1)
        if (words := of_postgresql(text)) >= 0:
            labelled = postgresql_line(text)
            if labelled is not None and labelled.label in SEVERITIES:
                place.source = f"{line.source}/{labelled.session}"
                place.alone = True
                text = place.whole = _with_details(buffer, text, after, line, labelled.session)
                usual = violation(text)
                if usual is not None:
                    place.before(text[:words])
                    return [Mention(place, usual.dialect, usual.key, usual.value)], max(after, hit + 1)
            else:
                place.before(text[:words])  # its time is asked for, to find the end
                text = place.whole = place.text()
        errors = named(text)
        if newline >= 0 and not (errors and errors[0].whole):
            # The value itself goes on in the next lines.
            following = after
            for _ in range(3):
                more, following = _next_line(buffer, following)
                text += "\n" + split(more).text
                if (longer := named(text)) and longer[0].whole:
                    errors = longer
                    after = place.ends = following
                    break
        if not errors:
            return [], max(after, hit + 1)
        if newline < 0 and ends - hit >= RECORD:  # a line without an end: up to the last error that is not cut
            errors = [one for one in errors if one.end < len(text) - CUT] or errors[:1]
            after = begins + len(text[: errors[-1].end].encode("utf-8", "replace"))
        place.before(text[: errors[0].start])
        return list(_mentions(place, errors)), max(after, hit + 1)

    def _at_once(self, buffer: bytes, begins: int, hit: int, ends: int, base: int) -> Mention | None:
        """Return the error of a line that has the most usual message once; None for lines that need a closer look."""
        hit -= 1  # of "uplicate entry"
        found = _USUAL.match(buffer, hit, ends)
        if found is None or buffer.find(_USUAL_WORDS, found.end(), ends) >= 0 or hit - begins > BEFORE:
            return None
        raw = buffer[begins:hit]
        document = raw.startswith(b"{")
        if document:
            if any(name in raw for name in _TRANSPORTS) or ends - begins > KEPT or buffer[ends - 1 : ends] != b"}":
                return None
        elif b"{" in raw[:400] and buffer[begins:ends].rstrip().endswith(b"}"):
            return None
        try:
            value, key = found[1].decode(), found[2].decode()
            if raw.startswith(_SURE_PARTS) and _DIGIT.search(raw) is None:
                place = Place(self, buffer, begins, ends, LogLine(""), base + begins)
                place.continues = True
                return Mention(place, Product.MYSQL, key, value)
            first = raw.decode()
        except UnicodeDecodeError:
            return None
        line = LogLine("", time_of_document(decoded(buffer[begins:ends]))) if document else split(first)
        if line.partial:
            return None
        place = Place(self, buffer, begins, ends, line, base + begins)
        if document:
            place.document = True
            place.first = first
            place.rest = _field(first)
        else:
            place.before(line.text)
        return Mention(place, Product.MYSQL, key, value)

    def _of_document(self, place: Place, text: str, flattened: str) -> list[Mention]:
        errors = named(flattened)
        if not errors:
            return []
        place.whole = flattened
        place.first = text
        place.own = place.own or time_of_document(text)
        # Two lines of JSON are two errors, but where the same is in different fields of them.
        place.rest = flattened[: errors[0].start].rpartition("\n")[2].partition(":")[0]
        return list(_mentions(place, errors))

    def _of_csv(self, buffer: bytes, begins: int, record: CsvRecord, base: int) -> list[Mention]:
        place = Place(self, buffer, begins, begins, LogLine("", record.time, record.process), base + begins)
        place.first = place.whole = as_stderr(record)
        place.alone = True
        return list(_mentions(place, named(place.whole)))

    def head(self, buffer: bytes, begins: int, offset: int) -> tuple[str | None, bytes]:
        """Return the time of the last line before ``begins`` that has one, and what that line looks like.

        ``offset`` is the same place in the log: every line is looked at once.
        """
        lowest = max(0, begins - AHEAD)
        ends = begins - 1
        for _ in range(LINES):
            if ends <= lowest or ends + offset - begins <= self._headed:
                break
            at = max(buffer.rfind(b"\n", lowest, ends) + 1, lowest)
            if buffer[at : at + 1] not in (b" ", b"\t", b"\n"):
                line = buffer[at : min(ends, at + 400)].decode("utf-8", "replace")
                time = time_of(line)
                if time is not None:
                    self._head = time, _shape(line[:SHAPE])
                    break
            ends = at - 1
        else:
            self._head = None, b""
        self._headed = max(self._headed, offset)
        return self._head

    def table(
        self, key: str, value: str | None, names: tuple[bytes, ...], place: Place
    ) -> tuple[str | None, str | None]:
        """Return the schema and table that a text has beside a key, from memory for texts with the same ``names``."""
        name = key, names
        known = self._tables.get(name)
        if known is None:
            if len(self._tables) >= TEXTS:
                self._tables.clear()
            found = [one for one in recognise(place.text()) if (one.key, one.value) == (key, value)]
            known = self._tables[name] = (found[0].schema, found[0].table) if found else (None, None)
        return known


def _mentions(place: Place, errors: list[Named]) -> Iterator[Mention]:
    seen: set[tuple[str, str | None]] = set()
    for one in errors:
        if (one.key, one.value) not in seen:
            seen.add((one.key, one.value))
            yield Mention(place, one.dialect, one.key, one.value)


def plain_text(text: str) -> str:
    """Return any text without what transports wrote before its lines; the same text where none did."""
    lines = [line for _, line in joined(text.split("\n"))]
    # Several sessions of PostgreSQL write one syslog: what a transport wrote says whose line it is.
    if of_postgresql(text) >= 0 or not any(line.transported for line in lines):
        return text
    return "\n".join(line.text for line in lines)


def _shape(text: str) -> bytes:
    return text.encode("utf-8", "replace").translate(None, _VARYING)


def _field(first: str) -> str:
    """Return the name of the field of a JSON line in which the text ends."""
    found = _FIELD.search(first[-400:])
    return found[1] if found else ""


def next_place(buffer: bytes, begins: int) -> int:
    """Return where the next words of an error are; -1 for none."""
    return min((at for needle in NEEDLES if (at := buffer.find(needle.encode(), begins)) >= 0), default=-1)


def _table_names(record: bytes) -> tuple[bytes, ...]:
    """Return what can be a table's name in a text, in an order that does not matter; none for a text without any."""
    lowered = record.lower()
    found = []
    for hint in _HINTS:
        at = lowered.find(hint)
        if at >= 0 and (named := _NAMES_TABLE.match(lowered, at)) is not None:
            found.append(record[named.start() : named.end()])
    return tuple(found)


def _next_line(buffer: bytes, ends: int) -> tuple[str, int]:
    begins = ends + 1
    newline = buffer.find(b"\n", begins, begins + RECORD)
    after = newline if newline >= 0 else min(len(buffer), begins + RECORD)
    return decoded(buffer[begins:after]).rstrip("\r"), after


def _record_end(buffer: bytes, ends: int, line: LogLine, timed: bool) -> int:
    """Return the end of the last line that belongs to the error whose own line ends at ``ends``."""
    limit = min(len(buffer), ends + RECORD)
    for _ in range(LINES):
        begins = ends + 1
        if begins >= limit:
            break
        newline = buffer.find(b"\n", begins, limit)
        after = newline if newline >= 0 else limit
        if buffer[begins : begins + 1] not in (b" ", b"\t", b"\n", b"\r"):
            following = split(buffer[begins : min(after, begins + 400)].decode("utf-8", "replace"))
            if following.transported != line.transported or following.source != line.source:
                break
            its_own = following.transported or not timed or time_of(following.text) is not None
            if its_own and following.text and _CONTINUES.match(following.text) is None:
                break
        ends = after
    return ends


def _with_details(buffer: bytes, text: str, ends: int, first: LogLine, session: str) -> str:
    """Return a line of PostgreSQL's log with the session's lines that follow it: other sessions write in between."""
    texts = [text]
    own = True
    limit = min(len(buffer), ends + RECORD)
    mark = f"[{session}]".encode() if session.isdigit() else b""
    for _ in range(LINES):
        begins = ends + 1
        if begins >= limit:
            break
        newline = buffer.find(b"\n", begins, limit)
        ends = newline if newline >= 0 else limit
        indented = buffer[begins : begins + 1] in (b"\t", b" ")
        if mark and not indented and buffer.find(mark, begins, min(ends, begins + MARKED)) < 0:
            own = False
            continue
        line_text = decoded(buffer[begins:ends]).rstrip("\r")
        line = split(line_text) if first.transported else LogLine(line_text)
        if line.source != first.source:
            continue
        labelled = None if indented else postgresql_line(line.text)
        if labelled is None:
            if own and line.text[:1] in ("\t", " ", "#"):
                texts.append(line.text)
            continue
        own = labelled.session == session
        if not own:
            continue
        if labelled.label in SEVERITIES:
            break
        texts.append(line.text)
        if labelled.label in _LAST_LABELS:
            break
    return "\n".join(texts)


def _csv_record(buffer: bytes, begins: int) -> tuple[CsvRecord, int] | None:
    """Return the record of PostgreSQL's csvlog that begins there, and where it ends; None when there is none."""
    text = decoded(buffer[begins : begins + BEFORE + RECORD])
    record = record_at(text, 0)
    return (record, begins + len(text[: record.end].encode("utf-8", "replace"))) if record is not None else None
