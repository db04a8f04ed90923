"""Replication filters, as the manual's flow charts evaluate them."""

from __future__ import annotations

import pytest

from replfix.core.filters import Filters
from replfix.core.table import TableName


@pytest.mark.parametrize(
    ("filters", "left_out"),
    [
        (Filters(), False),
        (Filters(do_db=("shop",)), False),
        (Filters(do_db=("other",)), True),
        (Filters(ignore_db=("shop", "x")), True),
        (Filters(do_db=("shop",), ignore_db=("shop",)), False),
        (Filters(do_table=("shop.t_1",)), False),
        (Filters(do_table=("shop.other",)), True),
        (Filters(ignore_table=("shop.t_1",)), True),
        (Filters(do_table=("shop.t_1",), ignore_table=("shop.t_1",)), False),
        (Filters(wild_ignore_table=("mysql.%",)), False),
        (Filters(wild_ignore_table=("sh%.t%",)), True),
        (Filters(wild_ignore_table=(r"shop.t\_1",)), True),
        (Filters(wild_ignore_table=(r"shop.tx\_1",)), False),
        (Filters(wild_do_table=("shop.t__",), wild_ignore_table=("%.%",)), False),
        (Filters(wild_do_table=("mysql.%",)), True),
        (Filters(do_db=("shop",), wild_do_table=("mysql.%",)), True),
    ],
)
def test_what_the_applier_passes_over(filters: Filters, left_out: bool) -> None:
    assert filters.leaves_out(TableName("shop", "t_1")) is left_out
