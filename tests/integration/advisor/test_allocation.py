"""The model of the counters, held against real ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replfix.core.advisor.allocation import left, next_ids
from replfix.core.advisor.node import IncrementSetting
from replfix.core.sql import set_session_number
from replfix.errors import ServerError
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session

FULL = {1062, 1264, 1467, 167}
STEPS = st.integers(1, 12).flatmap(
    lambda increment: st.builds(IncrementSetting, st.just(increment), st.integers(1, increment))
)
LARGE = st.builds(
    IncrementSetting, st.integers(1, 12), st.sampled_from((13, 14, 27, 65535))
)  # offsets above the increment
TYPES = {"TINYINT": 2**7, "SMALLINT UNSIGNED": 2**16, "INT": 2**31, "BIGINT": 2**63, "BIGINT UNSIGNED": 2**64}


@pytest.fixture
def session(any_pair: Lab) -> Iterator[Session]:
    with any_pair.source.session() as session:
        session.execute("SET sql_log_bin = 0")
        session.execute("CREATE DATABASE d")
        yield session


def work_with(session: Session, step: IncrementSetting) -> None:
    session.execute(set_session_number("auto_increment_increment", step.increment))
    session.execute(set_session_number("auto_increment_offset", step.offset))


def insert(session: Session, *rows: int) -> list[int]:
    """Statements of so many rows each; the numbers that they got."""
    before = set(numbers(session))
    for count in rows:
        session.execute(f"INSERT INTO d.t (v) VALUES {', '.join(['(1)'] * count)}")
    return [number for number in numbers(session) if number not in before]


def numbers(session: Session) -> list[int]:
    return [int(number) for (number,) in session.rows("SELECT id FROM d.t ORDER BY id")]


def test_a_server_gives_the_numbers_that_the_model_gives(session: Session) -> None:
    session.execute("CREATE TABLE d.t (id BIGINT AUTO_INCREMENT PRIMARY KEY, v INT)")

    @settings(max_examples=25, derandomize=True)
    @given(counter=st.integers(1, 200), first=STEPS, second=STEPS | LARGE, own=st.integers(1, 400))
    def same(counter: int, first: IncrementSetting, second: IncrementSetting, own: int) -> None:
        if second.increment > 1 and second.ignores_offset:
            counter += second.offset  # below such an offset, the numbers are of no class that is worth knowing
        session.execute("TRUNCATE d.t")
        session.execute(f"ALTER TABLE d.t AUTO_INCREMENT = {counter}")
        work_with(session, first)
        expected = list(next_ids(counter, first, 5))
        assert insert(session, 1, 3, 1) == expected, (counter, first)
        work_with(session, second)  # as a session that was opened after the change
        expected = list(next_ids(first.next_after(expected[-1]), second, 3))
        assert insert(session, 1, 2) == expected, (counter, first, second)
        session.execute(f"INSERT INTO d.t VALUES ({expected[-1] + own}, 1)")
        (number,) = insert(session, 1)
        possible = list(
            next_ids(expected[-1] + own + 1, second, 2 if second.ignores_offset else 1)
        )  # one may be left out
        assert number in possible, (counter, first, second, own)

    same()


def test_a_type_ends_where_the_model_ends_give_or_take_two(session: Session) -> None:
    """MySQL jumps to the type's last number, or gives up, up to two of its class early."""
    for type_, numbers_of_type in TYPES.items():
        limit = numbers_of_type - 1
        for step in (IncrementSetting(10, 3), IncrementSetting(3, 2), IncrementSetting(1, 1)):
            session.execute("DROP TABLE IF EXISTS d.t")
            session.execute(
                f"CREATE TABLE d.t (id {type_} AUTO_INCREMENT PRIMARY KEY, v INT) AUTO_INCREMENT = {limit - 25}"
            )
            work_with(session, step)
            expected = list(next_ids(limit - 25, step, 99, limit))
            assert len(expected) == left(limit - 25, step, limit)
            sure = expected[:-2]
            assert insert(session, *[1] * len(sure)) == sure, (type_, step)
            with pytest.raises(ServerError) as failed:
                for _ in range(3):
                    insert(session, 1)
            assert failed.value.errno in FULL, (type_, step)
