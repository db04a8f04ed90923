"""In which columns two images of a row differ, and whether one is all of a row."""

from __future__ import annotations

from replfix.core.rows.row_values import NOT_LOGGED, RowImage
from replfix.core.schema.table import Table


def differing(table: Table, one: RowImage, other: RowImage) -> tuple[str, ...]:
    """Return names of the columns that differ, in the table's order; a column that either side did not log cannot differ.

    Nor can a virtual column over the AUTO_INCREMENT column: MariaDB logs the value that it had before the row got its
    number (10.11.19), and the number is compared. MySQL rejects such a column, and MariaDB one that is stored or in a
    key.
    """
    if one == other and [*map(type, one)] == [*map(type, other)]:  # most rows of a large transaction
        return ()
    return tuple(
        column.name
        for column, a, b in zip(table.columns, one, other, strict=True)
        if a is not NOT_LOGGED
        and b is not NOT_LOGGED
        and (type(a) is not type(b) or a != b)
        and not column.counted
        and not column.changing
    )


def without_own(table: Table, image: RowImage) -> RowImage:
    """Return the image without the values of columns that only the replica has."""
    return image if not table.has_own else tuple(image[c.ordinal] for c in table.columns if not c.own)


def same(table: Table, one: RowImage, other: RowImage) -> bool:
    """Return whether no column differs, as ``differing`` compares."""
    return not differing(table, one, other)


def logged_in_part(table: Table, image: RowImage | None) -> bool:
    """Return whether the image lacks columns that make the row what it is.

    Generated columns follow from the others: MariaDB 11.8.9 logs them for an INSERT only; where they could not be
    computed nothing is missing. Columns that only the replica has are not missing either.
    """
    return (
        image is not None
        and NOT_LOGGED in image
        and any(
            value is NOT_LOGGED and not column.generated and not column.own
            for column, value in zip(table.columns, image, strict=True)
        )
    )
