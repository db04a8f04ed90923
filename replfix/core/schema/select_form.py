"""The form in which a column has to be selected, so that its value arrives without loss."""

from __future__ import annotations

from replfix.core.schema.table import ADDRESSES, Column

_AS_IT_IS = "{}"
# A FLOAT prints six digits, and FLOAT(M,D) and DOUBLE(M,D) print D decimals; as an unbound DOUBLE they print the shortest
# text that reads back as the same number. `* 1e0` does that on every version (CAST(… AS DOUBLE) came with 8.0.17), and it
# keeps the sign of a negative zero, which `+ 0e0` would lose.
_AS_DOUBLE = "({} * 1e0)"
# The driver takes the type VECTOR, which it does not know, for text in ASCII.
_AS_BINARY = "CAST({} AS BINARY)"
# The text of a JSON document does not tell a DATE from a string. A document that differs from its own text, read again,
# is marked: it holds such values. (COALESCE: a text longer than max_allowed_packet would be NULL.) A DECIMAL and a double
# of the same value are equal to the server, and no document differs for their sake.
TYPED_JSON = "~"
_JSON = f"IF({{0}} <=> CAST(CAST({{0}} AS CHAR) AS JSON), {{0}}, COALESCE(CONCAT('{TYPED_JSON}', {{0}}), {{0}}))"
_FORMS = {
    "json": _JSON,
    "float": _AS_DOUBLE,
    "double": _AS_DOUBLE,
    "vector": _AS_BINARY,
    # As the binary log has them, which does not say that they are more than BINARY(n).
    **{data_type: f"CAST({{}} AS BINARY({length}))" for data_type, length in ADDRESSES.items()},
}


def select_form(column: Column) -> str:
    """A template with ``{}`` for the quoted column: ``select_form(c).format(quoted)`` goes into the select list."""
    return _FORMS.get(column.data_type, _AS_IT_IS)
