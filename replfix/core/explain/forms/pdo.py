"""PHP: PDO, mysqli, Doctrine's ``An exception occurred while executing …``, WordPress's ``for query``."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, cleaned, statement_after

NAME = "PHP"

_MARKS = re.compile(
    r"SQLSTATE\[23(?:000|505)\]: (?:Integrity constraint|Unique) violation: (?:1062|7) |WordPress|mysqli_sql_exception: |PHP "
)
_DOCTRINE = re.compile(r"An exception occurred while executing (?:a query: )?'")
# "for query" is translated; in PHP's own log a line end is \n.
_WORDPRESS = re.compile(
    r"\A['\"]* ?(?:for query |\]?(?:<br />)?\s*(?:<code>)?|[^\n<>]{1,40}?\s)\s*(?=INSERT|UPDATE|REPLACE)", re.IGNORECASE
)
_ENDS = (" made by ", "</code>")
_CALLERS = re.compile(r"\s*;?\s+\S{1,12} (?:require|include|do_action|call_user_func|wp_)\w*\('?[^\n]*\Z")


def recognise(around: Around) -> Context | None:
    if not _MARKS.search(around.before[-600:]):
        return None
    if "WordPress" in around.before[-600:] or "wpdberror" in around.before[-600:]:
        line, _, _ = around.after.partition("\n")
        statement = statement_after(line.replace("\\n", "\n"), _WORDPRESS, _ENDS)
        return Context(statement=_CALLERS.sub("", statement) if statement else None)
    doctrine = list(_DOCTRINE.finditer(around.before))
    if doctrine:
        rest = around.before[doctrine[-1].end() :]
        ends = rest.find("' with params")
        return Context(statement=cleaned(rest[: ends if ends >= 0 else None]) if ends >= 0 else None)
    return Context()
