"""PHP: PDO, mysqli, Doctrine's ``An exception occurred while executing …``, WordPress's ``for query``."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, cleaned, statement_after

NAME = "PHP"

_MARKS = re.compile(
    r"SQLSTATE\[23(?:000|505)\]: (?:Integrity constraint|Unique) violation: (?:1062|7) |WordPress|mysqli_sql_exception: |PHP "
)
_DOCTRINE = re.compile(r"An exception occurred while executing (?:a query: )?'")
_WORDPRESS = re.compile(
    r"\A['\"]* ?(?:for query |\]?(?:<br />)?\s*(?:<code>)?(?=INSERT|UPDATE|REPLACE))", re.IGNORECASE
)
_ENDS = (" made by ", "</code>", "\n")


def recognise(around: Around) -> Context | None:
    if not _MARKS.search(around.before[-600:]):
        return None
    if "WordPress" in around.before[-600:] or "wpdberror" in around.before[-600:]:
        return Context(statement=statement_after(around.after, _WORDPRESS, _ENDS))
    doctrine = list(_DOCTRINE.finditer(around.before))
    if doctrine:
        rest = around.before[doctrine[-1].end() :]
        ends = rest.find("' with params")
        return Context(statement=cleaned(rest[: ends if ends >= 0 else None]) if ends >= 0 else None)
    return Context()
