"""The values of a row, the same whether they were decoded from an event or read from a server.

One canonical form for each column type, so that ``==`` between a decoded value and a selected one means "equal":

====================================  =======================================================================
column type                           value
====================================  =======================================================================
integers, YEAR, BIT                   ``int``
DECIMAL                               ``Decimal`` (with the column's scale)
FLOAT                                 ``float``: the float32 widened exactly
DOUBLE                                ``float``
DATE                                  ``str`` ``YYYY-MM-DD``
DATETIME(n), TIMESTAMP(n)             ``str`` ``YYYY-MM-DD HH:MM:SS[.n digits]``; TIMESTAMP in UTC
TIME(n)                               ``str`` ``[-]HH[H]:MM:SS[.n digits]``
CHAR, VARCHAR, TEXT                   ``str``
BINARY, VARBINARY, BLOB               ``bytes`` (BINARY padded to its length)
GEOMETRY and its subtypes             ``bytes``: the SRID (4 bytes, little-endian), then WKB, x before y
VECTOR                                ``bytes``: float32 after float32, little-endian
INET4, INET6, UUID (MariaDB)          ``bytes``, 4 or 16 of them
ENUM                                  ``str``: the label (``''`` for the error value)
SET                                   ``str``: the labels, joined by commas in the order of the definition
JSON                                  ``Json``: canonical text, keys in the server's order
SQL NULL                              ``None``
not in the logged image               ``NOT_LOGGED``
====================================  =======================================================================
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from decimal import Decimal

from replfix.core.rows.json_text import Document


class _Marker(enum.Enum):
    NOT_LOGGED = "not logged"

    def __repr__(self) -> str:
        return self.name


NOT_LOGGED = _Marker.NOT_LOGGED
"""The event's image does not have this column (``binlog_row_image`` MINIMAL or NOBLOB)."""


@dataclass(frozen=True, slots=True)
class Json:
    """A JSON document as text: ``json.dumps(..., ensure_ascii=False)`` of the server's document.

    JSON ``null`` is ``Json("null")``; SQL NULL is ``None``. ``typed`` is the document itself when values of SQL types
    (DECIMAL, DATE, BLOB, …) are known to be inside, which the text does not show: they are kept when it is written. In
    a row that was selected it is ``json_text.UNEXPLAINED``. So ``typed`` takes no part in a comparison.
    """

    text: str
    typed: Document | None = field(default=None, compare=False, repr=False)


Value = None | int | float | Decimal | str | bytes | Json | _Marker
RowImage = tuple[Value, ...]
"""One value for each column of the table, by ordinal."""


@dataclass(frozen=True, slots=True)
class NotRead:
    """In place of a row that was not looked for: whether there is one is unknown."""

    reason: str


def laid_over(row: RowImage, image: RowImage) -> RowImage:
    """Return ``row`` with the values that are in ``image``."""
    if NOT_LOGGED not in image:
        return image
    return tuple(old if new is NOT_LOGGED else new for old, new in zip(row, image, strict=True))
