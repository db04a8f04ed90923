"""PostgreSQL's 23505: the constraint in the message, columns and values in DETAIL; in every language whose words are known.

The words of a language that is not listed are passed over: where a client prints the SQLSTATE, quotes and parentheses do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from replfix.core.explain.duplicate import Product
from replfix.core.explain.hit import Hit
from replfix.core.explain.text.postgresql_fields import fields, session
from replfix.core.explain.text.quoting import end_of_name, unwrapped

NAME = "23505"


@dataclass(frozen=True, slots=True)
class _Language:
    """The words before the constraint's name, and what follows the values in DETAIL."""

    before: str
    after: str


# de, es, fr, ja, ru and zh_CN as PostgreSQL 15 prints them; it, pl, pt_BR, ko, sv and tr as users quote them.
_LANGUAGES = (
    _Language("duplicate key value violates unique constraint ", " already exists"),
    _Language("doppelter Schlüsselwert verletzt Unique-Constraint ", " existiert bereits"),
    _Language("llave duplicada viola restricción de unicidad ", ""),
    _Language("la valeur d'une clé dupliquée rompt la contrainte unique ", " existe déjà"),
    _Language("重複したキー値は一意性制約", " はすでに存在します"),
    _Language("повторяющееся значение ключа нарушает ограничение уникальности ", " уже существует"),
    _Language("重复键违反唯一约束", " 已经存在"),
    _Language("un valore chiave duplicato viola il vincolo univoco ", " esiste già"),
    _Language("podwójna wartość klucza narusza ograniczenie unikalności ", " już istnieje"),
    _Language("duplicar valor da chave viola a restrição de unicidade ", " já existe"),
    _Language("중복된 키 값이 ", " 키가 이미 있습니다"),
    _Language("duplicerat nyckelvärde bryter mot unik-villkor ", " existerar redan"),
    _Language("tekrar eden kayıt, ", " anahtarı zaten mevcut"),
)
ENGLISH = _LANGUAGES[0].before
NEEDLES: tuple[str, ...] = tuple(language.before.strip() for language in _LANGUAGES)

_WORDS = re.compile("|".join(re.escape(language.before) for language in _LANGUAGES))
_AFTER = {language.before: language.after for language in _LANGUAGES}
_QUOTE = re.compile(r'\\*"|\\+u0022|&quot;|[“»«„](?:[ \u00a0\u202f])?|' + r"\\*'")
_CLOSING = {"“": "”", "„": "“", "»": "«", "«": "»"}
_BETWEEN = ")=("
COLUMNS_SPAN = 1_000
NAME_SPAN = 300
DETAIL_SPAN = 4000
"""Characters after the message in which its DETAIL has to be: log prefixes, wrappers and line ends in between."""


def find(text: str) -> Iterator[Hit]:
    """Yield every such message in the text, in order."""
    at = 0
    earliest = 0
    while (words := _WORDS.search(text, at)) is not None:
        at = words.end()
        named = name_at(text, at)
        if named is None:
            continue
        name, at = named
        following = _WORDS.search(text, at, at + DETAIL_SPAN)
        limit = min(len(text), at + DETAIL_SPAN) if following is None else following.start()
        detail = own_detail(text, words.start(), at, limit, earliest, _AFTER[words[0]])
        own = fields(text, words.start(), at, None if following is None else following.start())
        if detail is not None and detail.end <= limit:  # no other session's error in between
            at = max(at, detail.end)
        yield Hit(
            words.start(),
            at,
            Product.POSTGRESQL,
            name,
            detail.value if detail else None,
            detail.columns if detail else (),
            schema=own.get("schema"),
            table=own.get("table"),
            statement=own.get("statement"),
            detail=own.get("detail"),
            context=own.get("context"),
        )
        earliest = at


def name_at(text: str, at: int) -> tuple[str, int] | None:
    """Return the quoted name that begins at ``at``, and where its closing quote ends; None when there is none."""
    opening = _QUOTE.match(text, at)
    if opening is None:
        return None
    mark = opening[0]
    closing = _CLOSING.get(mark[0], mark)
    line_end = text.find("\n", opening.end(), opening.end() + NAME_SPAN)
    limit = min(len(text), opening.end() + NAME_SPAN) if line_end < 0 else line_end
    ends = end_of_name(text, closing, opening.end(), limit)
    if ends < 0:  # Japanese has no space after it
        ends = text.find(closing, opening.end(), limit)
    if ends < 0:
        return None
    return unwrapped(text[opening.end() : ends].strip(" \u00a0\u202f"), mark[:1] if mark[0] in _CLOSING else mark), (
        ends + len(closing)
    )


@dataclass(frozen=True, slots=True)
class KeyDetail:
    """Columns and values of a key, as DETAIL has them: several values are joined with ``, ``."""

    columns: tuple[str, ...]
    value: str
    end: int


def own_detail(text: str, message: int, at: int, limit: int, earliest: int, after: str) -> KeyDetail | None:
    """Return the DETAIL of the message; None where it is missing, or another session's."""
    own = session(text, message)
    if own is not None:
        # Lines of other sessions can be in between, their errors too.
        while (found := detail_in(text, at, min(len(text), at + DETAIL_SPAN), after)) is not None:
            if session(text, found[0]) in (own, None):
                return found[1]
            at = found[1].end
        return None
    found = detail_in(text, at, limit, after)
    if found is None and after:  # some clients print it first
        begins = max(earliest, message - DETAIL_SPAN)
        found = detail_in(text, begins, message, after)
        if found is not None:
            return KeyDetail(found[1].columns, found[1].value, at)
    return found[1] if found else None


def detail_in(text: str, at: int, limit: int, after: str) -> tuple[int, KeyDetail] | None:
    """Return the first ``(columns)=(values)`` with the words ``after`` it, and where it begins."""
    found = _columns(text, at, limit)
    if found is None:
        return None
    opened, closed = found
    begins = closed + len(_BETWEEN)
    line = text.find("\n", begins, limit)
    # A value can contain the same words, or a line end: the last of them on its line counts.
    closing = re.compile(r"\)[»\"«”\\]{0,3}[ \u00a0\u202f]?[»\"]?" + re.escape(after.lstrip()) if after else r"\)")
    ends = [found.start() for found in closing.finditer(text, begins, limit if line < 0 else line)]
    if not ends:
        first = closing.search(text, begins, limit)
        if first is None:
            return None
        line = text.find("\n", first.start(), limit)
        ends = [found.start() for found in closing.finditer(text, first.start(), limit if line < 0 else line)]
    quote = _wrapping(text, opened)
    named = tuple(_unquoted(c.strip()) for c in listed(unwrapped(text[opened + 1 : closed], quote)))
    return opened, KeyDetail(named, unwrapped(text[begins : ends[-1]], quote), ends[-1])


def _columns(text: str, at: int, limit: int) -> tuple[int, int] | None:
    """Return where the first ``(columns)=(`` opens and where it closes: parentheses of expressions are inside it."""
    closed = text.find(_BETWEEN, at, limit)
    if closed < 0:
        return None
    depth = 1
    for opened in range(closed - 1, max(at, closed - COLUMNS_SPAN) - 1, -1):
        character = text[opened]
        if character == "\n":
            return None
        depth += (character == ")") - (character == "(")
        if depth == 0:
            return opened, closed
    return None


def _wrapping(text: str, at: int) -> str:
    r"""Return the quote that shows how often the text was wrapped: ``\\"`` in a JSON string in JSON."""
    line = text[max(0, text.rfind("\n", 0, at)) : at]
    wrapped = re.findall(r'\\+(?=")', line[-DETAIL_SPAN:])
    return f'{wrapped[-1]}"' if wrapped else '"'


def listed(text: str) -> list[str]:
    """Split at commas outside parentheses and quotes: an expression and a quoted name can contain some."""
    parts, depth, begins, quoted = [], 0, 0, False
    for at, character in enumerate(text):
        quoted ^= character == '"'
        depth += 0 if quoted else (character == "(") - (character == ")")
        if character == "," and depth == 0 and not quoted:
            parts.append(text[begins:at])
            begins = at + 1
    return [*parts, text[begins:]]


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if len(name) > 1 and name[0] == name[-1] == '"' else name
