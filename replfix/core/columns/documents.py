"""JSON of MySQL. MariaDB's JSON is LONGTEXT."""

from __future__ import annotations

from replfix.core.columns.column_type import Answer, ColumnType, text_in
from replfix.core.rows.json_text import UNEXPLAINED, canonical
from replfix.core.rows.row_values import Json

# In the text of a JSON document, a DATE looks like a string. A document that differs from its own text, read again,
# is marked: it has such values. (COALESCE: a text longer than max_allowed_packet would be NULL.) A DECIMAL and a double
# of the same value are equal to the server, and no document differs for their sake.
_TYPED = "~"
_SELECT = f"IF({{0}} <=> CAST(CAST({{0}} AS CHAR) AS JSON), {{0}}, COALESCE(CONCAT('{_TYPED}', {{0}}), {{0}}))"


def _read(answer: Answer) -> Json:
    answer = text_in(answer)
    text = answer.removeprefix(_TYPED)
    return Json(canonical(text), UNEXPLAINED if text != answer else None)


TYPES = (ColumnType(("json",), _read, select=_SELECT, from_text=Json),)
