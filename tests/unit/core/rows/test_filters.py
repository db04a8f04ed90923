"""Replication filters, as the manual's flow charts evaluate them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replfix.core.schema.filters import Filters, _matches
from replfix.core.schema.table import TableName


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
    assert (filters.applied_as(TableName("shop", "t_1")) is None) is left_out


T = TableName("shop", "t")


@pytest.mark.parametrize(
    ("filters", "applied_as"),
    [
        (Filters(rewrite_db="(shop,store)"), TableName("store", "t")),
        (Filters(rewrite_db="(x,y),(shop,store),(shop,late)"), TableName("store", "t")),
        (Filters(rewrite_db="(x,y)"), T),
        # Rewritten first, filtered then.
        (Filters(rewrite_db="(shop,store)", do_db=("shop",)), None),
        (Filters(rewrite_db="(shop,store)", ignore_table=("store.t",)), None),
        (Filters(rewrite_db="(shop,store)", do_db=("store",)), TableName("store", "t")),
    ],
)
def test_the_name_that_rows_are_applied_under(filters: Filters, applied_as: TableName | None) -> None:
    assert filters.applied_as(T) == applied_as


def test_where_rows_of_a_table_can_come_from() -> None:
    filters = Filters(rewrite_db="(shop,store),(outlet,store)", ignore_db=("own",))
    assert filters.origins(TableName("store", "t")) == (T, TableName("outlet", "t"), TableName("store", "t"))
    assert filters.origins(T) == ()
    assert filters.origins(TableName("own", "t")) == ()


def test_names_that_look_like_rules_are_not_guessed_at() -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        Filters(rewrite_db="(a,b,c)").applied_as(T)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("pattern", ["%" * 3000 + "x", "%a" * 60 + "x", "%_" * 1500 + "x"])
def test_no_pattern_of_a_server_takes_for_ever(pattern: str) -> None:
    assert not _matches(pattern, "a" * 129)
    assert Filters(wild_ignore_table=("%" * 3000,)).applied_as(TableName("a" * 64, "a" * 64)) is None


@given(st.text("ab%_\\", max_size=7), st.text("ab%_\\", max_size=7))
def test_patterns_match_as_their_regular_expressions_do(pattern: str, name: str) -> None:
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    judge = "".join({"%": ".*", "_": "."}.get(part) or re.escape(part[-1]) for part in parts)
    assert _matches(pattern, name) == bool(re.fullmatch(judge, name, re.DOTALL))
