"""PHP: PDO's ``SQLSTATE[23000]: Integrity constraint violation: 1062``, followed by Laravel's ``(SQL: …)``."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, cleaned

NAME = "Laravel"

_MARK = re.compile(r" ?\((?:Connection: [^,()\n]{1,200}, (?:Host: [^()\n]{0,400}?, )?)?SQL: ")
_ENDS = (") at /", ") in /", ") (View: ", ')"', ")\n", '") {', ") {")


def recognise(around: Around) -> Context | None:
    mark = _MARK.search(around.after[:3_000])
    if mark is None or "SQLSTATE[" not in around.before[-300:]:
        return None
    rest = around.after[mark.end() :]
    limit = min((at for end in _ENDS if (at := rest.find(end)) >= 0), default=len(rest))
    statement = rest[:limit]
    return Context(statement=cleaned(statement.rstrip().removesuffix(")") if limit == len(rest) else statement))
