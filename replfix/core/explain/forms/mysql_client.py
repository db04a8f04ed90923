"""The mysql client, mysqlimport, and whatever prints as they do: ``ERROR 1062 (23000) at line 7: …``."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context

NAME = "mysql client"

_MARKS = re.compile(
    r"(?:ERROR|Error)(?: Code)?:? 1062\.?(?: \(23000\))?(?: at line \d+)?(?: in file: '[^'\n]{0,300}')?[:.]? \Z"
)


def recognise(around: Around) -> Context | None:
    return Context() if _MARKS.search(around.line_before) else None
