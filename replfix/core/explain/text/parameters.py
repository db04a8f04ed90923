"""The values that a client prints beside its statement: SQLAlchemy, Doctrine, TypeORM, Rails, Entity Framework, Drupal, PostgreSQL."""

from __future__ import annotations

import re

from replfix.core.explain.insert import Item, ItemKind, Parameters

SPAN = 8_000
MOST = 1_000

_SEQUENCE = re.compile(
    r"\[parameters: |\bwith params |\bparameters: (?=\[)|\bbind(?:ings)?: (?=\[)|\bparams: (?=\[)|(?<=\))  ?(?=\[\[\")"
)
_NAMED = re.compile(r"Array\s*\(\s*(?=\[:)|\[Parameters=\[|\b(?:with )?parameters: (?=\$\d)")
_ENTRY = re.compile(
    r"\[:(?P<php>\w+)\] => (?P<text>[^\n]*?)(?=\s+\[:|\s*\n|\s*\)\s*(?:in |$))"
    r"|@(?P<net>\w+)='(?P<netvalue>(?:[^']|'')*)'"
    r"|\$(?P<pg>\d+) = (?:'(?P<pgvalue>(?:[^']|'')*)'|(?P<null>NULL))"
)
_TOKEN = re.compile(
    r"""\s*(?:(?P<string>[bu]?'(?:[^'\\]|\\.)*'|[bu]?"(?:[^"\\]|\\.)*")"""
    r"""|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?=\s*[,\])}])"""
    r"""|Decimal\('(?P<decimal>[^']{1,80})'\)"""
    r"""|(?P<null>None|null|NULL|nil)\b|(?P<bool>True|true|False|false)\b"""
    r"""|(?P<other>[\w.]+(?:\([^()]*\))?)|(?P<mark>[\[\](){},:]))""",
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}


def parameters_in(text: str) -> Parameters | None:
    """Return the first values in the text that belong to a statement; None when there are none."""
    text = text[:SPAN]
    named = _NAMED.search(text)
    if named is not None:
        found = _entries(text, named.end())
        return Parameters(named=(found,)) if found else None
    sequence = _SEQUENCE.search(text)
    if sequence is None:
        return None
    return _literal(text, sequence.end())


def _entries(text: str, at: int) -> dict[str, Item]:
    found: dict[str, Item] = {}
    for entry in _ENTRY.finditer(text, at):
        if entry["php"]:
            found[entry["php"]] = Item(ItemKind.STRING, entry["text"])
        elif entry["net"] and entry["netvalue"] != "?":  # ?: EnableSensitiveDataLogging is off
            found[entry["net"]] = Item(ItemKind.STRING, entry["netvalue"].replace("''", "'"))
        elif entry["pg"]:
            null = entry["null"] is not None
            found[entry["pg"]] = Item(
                ItemKind.NULL if null else ItemKind.STRING, "" if null else entry["pgvalue"].replace("''", "'")
            )
    return found


def _literal(text: str, at: int) -> Parameters | None:
    """Return what a list, tuple or dict gives, or a list of them: one for each execution. Not nested deeper."""
    depth = 0
    named: list[dict[str, Item]] = []
    ordered: list[tuple[Item, ...]] = []
    items: list[Item] = []
    pairs: dict[str, Item] = {}
    name: str | None = None
    while len(named) + len(ordered) < MOST and (token := _TOKEN.match(text, at)) is not None:
        at = token.end()
        mark = token["mark"]
        if mark in ("[", "(", "{"):
            depth += 1
        elif mark in ("]", ")", "}"):
            depth -= 1
            if items:
                ordered.append(tuple(items))
            if pairs:
                named.append(pairs)
            items, pairs = [], {}
            if depth <= 0:
                break
        elif mark == ":":
            name = items.pop().text if items else None
        elif mark is None:
            item = _item(token)
            if name is not None:
                pairs[name] = item
                name = None
            else:
                items.append(item)
        if depth > 3:
            return None
    if not named and not ordered:
        return None
    return Parameters(tuple(named), _rows(ordered))


def _rows(found: list[tuple[Item, ...]]) -> tuple[tuple[Item, ...], ...]:
    """Rails: ``[["email", "a@example.org"], ["name", "Ann"]]`` are pairs of one execution."""
    if len(found) > 1 and all(len(row) == 2 and row[0].kind is ItemKind.STRING for row in found):
        return (*found, tuple(row[1] for row in found))
    return tuple(found)


def _item(token: re.Match[str]) -> Item:
    if token["string"]:
        text = token["string"]
        text = text[text.index(text[-1]) + 1 : -1]
        return Item(ItemKind.STRING, _ESCAPED.sub(_character, text))
    if token["number"] or token["decimal"]:
        return Item(ItemKind.NUMBER, token["number"] or token["decimal"])
    if token["null"]:
        return Item(ItemKind.NULL, "")
    if token["bool"]:
        return Item(ItemKind.NUMBER, "1" if token["bool"].lower() == "true" else "0")
    return Item(ItemKind.PLACEHOLDER, token["other"] or "")


def _character(escaped: re.Match[str]) -> str:
    code = escaped[1] or escaped[2]
    if code:
        number = int(code, 16)
        return "\N{REPLACEMENT CHARACTER}" if 0xD800 <= number <= 0xDFFF else chr(number)
    return _LETTERS.get(escaped[3], escaped[3])
