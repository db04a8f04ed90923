"""Which numbers an AUTO_INCREMENT counter gives.

Seen with InnoDB (MySQL 9.7.4, MariaDB 10.11 and 11.8; tests/integration/advisor/test_allocation.py runs both): the next
number is the first one of the session's class that is not below the counter, and the counter then moves to the next one
of that class. So a changed increment or offset never steps back. A row that comes with a number of its own, from a
source too, moves the counter past that number.
"""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.advisor.node import IncrementSetting


def next_id(counter: int, step: IncrementSetting, limit: int | None = None) -> int | None:
    """Return the number for the next row; None where the column's type ends before it.

    MySQL then fails with 1062, 1264 or 1467, MariaDB with 167.
    """
    number = step.next_after(counter - 1)
    return None if limit is not None and number > limit else number


def next_ids(counter: int, step: IncrementSetting, count: int, limit: int | None = None) -> Iterator[int]:
    """Yield at most ``count`` numbers, while no other rows come in."""
    for _ in range(count):
        number = next_id(counter, step, limit)
        if number is None:
            return
        yield number
        counter = step.next_after(number)


def left(counter: int, step: IncrementSetting, limit: int) -> int:
    """Return how many numbers there are until the type ends."""
    number = next_id(counter, step, limit)
    return 0 if number is None else (limit - number) // step.increment + 1
