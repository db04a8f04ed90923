"""Definitions that differ, with later changes in the backlog: what is printed loses nothing and leads where it says.

After reports of gh-ost and pt-online-schema-change swaps, of a column added on the replica first, of types and character sets
that drifted, and of CREATE TABLE … SELECT. That each remedy leads where it says is tests/following.
"""

from __future__ import annotations

from replfix.lab.topology import Lab
from tests.following.definitions import DRIFTED
from tests.following.follower import AT_A_HUMAN, Followed, Follower


def followed(lab: Lab, name: str) -> Followed:
    DRIFTED[name].arrange(lab)
    done = Follower(lab).follow()
    assert not done.faults, done
    return done


def columns(lab: Lab, table: str) -> list[tuple[str, str]]:
    with lab.replica.session() as session:
        return [
            (row["c"], row["t"])
            for row in session.query(
                "SELECT COLUMN_NAME AS c, COLUMN_TYPE AS t FROM information_schema.COLUMNS "
                "WHERE CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) = %s ORDER BY ORDINAL_POSITION",
                [table],
            )
        ]


def test_a_swap_whose_shadow_table_is_missing_takes_no_column(pair: Lab) -> None:
    done = followed(pair, "swap-without-shadow")
    assert "The replica has no table shop._a_gho, which the statement renames to shop.a." in done.said[0]
    assert ("secret", "varchar(20)") in columns(pair, "shop._a_del")


def test_a_filter_that_leaves_the_shadow_table_out_is_named(pair: Lab) -> None:
    with pair.replica.session() as session:
        session.execute("STOP REPLICA SQL_THREAD")
        session.execute("CHANGE REPLICATION FILTER REPLICATE_DO_TABLE = (shop.a)")
        session.execute("START REPLICA SQL_THREAD")
    try:
        DRIFTED["swap-without-shadow"].arrange_without_local(pair)
        told = " ".join(remedy["text"] for remedy in Follower(pair).diagnose()["advice"])
        assert "filters leave it out (replicate-do-table shop.a)" in told
    finally:
        with pair.replica.session() as session:
            session.execute("STOP REPLICA SQL_THREAD")
            session.execute("CHANGE REPLICATION FILTER REPLICATE_DO_TABLE = ()")


def test_exactly_the_statement_that_is_done_already_is_left_out(pair: Lab) -> None:
    done = followed(pair, "column-ahead")
    assert "shop.a has the column c already, as the statement leaves it." in done.said[0]
    assert not any("DROP COLUMN `x`" in line for line in done.said)
    assert columns(pair, "shop.a") == [("id", "int"), ("c", "int")]


def test_a_column_becomes_what_the_event_needs_and_not_what_it_is_later(pair: Lab) -> None:
    done = followed(pair, "narrower-and-altered-since")
    assert any("MODIFY COLUMN `v` varchar(20) DEFAULT NULL" in line for line in done.said)
    assert done.remedies == 1


def test_a_character_set_takes_one_alter(pair: Lab) -> None:
    assert followed(pair, "character-set").remedies == 1


def test_a_wider_column_that_is_meant_stays(pair: Lab) -> None:
    done = followed(pair, "wider-on-purpose")
    assert columns(pair, "shop.a")[1] == ("x", "bigint unsigned")
    assert any("replica_type_conversions" in line for line in done.said)


def test_the_rows_of_a_create_select_are_not_left_out(pair: Lab) -> None:
    done = followed(pair, "create-select-with-rows")
    assert any("must not be left out" in line for line in done.said)
    with pair.replica.session() as session:
        assert session.rows("SELECT COUNT(*) FROM shop.ct_saved") == [("2",)]


def test_orphans_of_a_foreign_key_that_is_added_are_listed(pair: Lab) -> None:
    DRIFTED["foreign-key-over-orphans"].arrange(pair)
    follower = Follower(pair)
    follower.settled()
    told = " ".join(remedy["text"] for remedy in follower.diagnose()["advice"])
    assert (
        "shop.c gets a foreign key over (p) to shop.p (id). On the replica these values have no row there: (2) in 1 row."
        in told
    )


def test_nothing_is_printed_to_run_where_later_writes_need_another_copy(pair: Lab) -> None:
    done = followed(pair, "swap-with-writes-behind")
    assert (done.remedies, done.end) == (0, AT_A_HUMAN)
