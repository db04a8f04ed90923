"""Passwords and their hashes in a text: the one place that masks them, in statements and in URLs.

A binlog has CREATE USER with the hash (MySQL) or as it was typed (MariaDB, SET PASSWORD, CREATE SERVER). A server's
message and a list of sessions quote it. Text is masked where it is read from a server, before anything is concluded
from it. What replfix says itself is masked where it is printed, logged and recorded: it may repeat what somebody typed.
"""

from __future__ import annotations

import re

MASK = "***"

_MAYBE = re.compile(r"IDENTIFIED|PASSWORD|authentication_string|\b(?:mysql|mariadb)://", re.IGNORECASE)

_S = r"(?:\s|/\*(?!!)[^*]*\*/|/\*!\d*|\*/)"  # space, a comment, the edge of a comment that is run
_LITERAL = r"""(?:_?\w*(?:'(?:[^'\\]|\\.|'')*(?:'|\Z)|"(?:[^"\\]|\\.|"")*(?:"|\Z))|0[xX][0-9A-Fa-f]+)"""
_NAME = r"""(?:'[^']*'|"[^"]*"|`[^`]*`|[\w$]+)"""
_ACCOUNT = rf"{_NAME}(?:@{_NAME})?"

_SECRET = re.compile(
    rf"""(?P<before>
      \b(?:IDENTIFIED{_S}+(?:WITH|VIA)|OR|AND){_S}+{_NAME}{_S}+(?:BY|AS|USING){_S}+(?:PASSWORD{_S}*\(?{_S}*)?
    | \bIDENTIFIED{_S}+BY{_S}+(?:PASSWORD{_S}*\(?{_S}*)?
    | \bREPLACE{_S}+(?=['"])
    | \bPASSWORD{_S}*\({_S}*
    | \b\w*PASSWORD(?:{_S}+FOR{_S}+{_ACCOUNT}(?:\(\))?)?{_S}*(?:=|{_S}TO{_S}){_S}*(?:(?:OLD_)?PASSWORD{_S}*\({_S}*)?
    | \bPASSWORD{_S}+(?=['"])
    | \bauthentication_string`?{_S}*={_S}*
    ){_LITERAL}
    | (?P<url>\b(?:mysql|mariadb)://[^:@/'"\s]*:)[^@'"\s]*(?=@)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


def masked(text: str) -> str:
    """Return the text with every authentication string in it replaced; masking twice changes nothing more."""
    if not _MAYBE.search(text):
        return text
    return _SECRET.sub(lambda found: found["url"] + MASK if found["url"] else f"{found['before']}'{MASK}'", text)


def has_mask(text: str) -> bool:
    """Return whether something in it was masked: the text cannot be run again then."""
    return f"'{MASK}'" in text or f":{MASK}@" in text


# In time that grows as the text does: a server chooses what is in it.
_WORD = re.compile(r"\S+")
_BEFORE_PASSWORD = re.compile(r"(?<![a-z0-9+.-])[a-z0-9+.-]+:/{1,2}[^/?#@:]*:", re.IGNORECASE)


def without_passwords(text: str) -> str:
    """Return ``text`` without what authenticates: as ``masked``, and the passwords of URLs of any scheme, also of bent ones.

    An error repeats whatever somebody typed at a wrong place.
    """
    return masked(_WORD.sub(_without_password, text) if "@" in text else text)


def _without_password(word: re.Match[str]) -> str:
    end = word[0].rfind("@")
    begin = _BEFORE_PASSWORD.search(word[0], 0, max(0, end))
    return word[0] if begin is None else f"{word[0][: begin.end()]}{MASK}{word[0][end:]}"
