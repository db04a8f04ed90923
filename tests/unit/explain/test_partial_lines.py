"""A container's runtime splits long lines (CRI at 16 KB), and interleaves the parts of stdout and stderr."""

from __future__ import annotations

import pytest

from replfix.core.explain.log.log_line import joined
from replfix.core.explain.text.flatten import flat

AT = "2026-11-30T03:00:00.101234567Z"
OUT, ERR = f"{AT} stdout", f"{AT} stderr"
ERROR = "Error 1062 (23000): Duplicate entry '5' for key 'orders.PRIMARY'"


@pytest.mark.parametrize(
    ("lines", "texts"),
    [
        ([f"{ERR} P {ERROR[:30]}", f"{ERR} F {ERROR[30:]}"], [ERROR]),
        ([f"{ERR} P {ERROR[:9]}", f"{ERR} P {ERROR[9:30]}", f"{ERR} F {ERROR[30:]}"], [ERROR]),
        ([f"{ERR} P:x {ERROR[:30]}", f"{ERR} F:x {ERROR[30:]}"], [ERROR]),
        ([f"{ERR} P {ERROR[:30]}", f"{OUT} F GET /", f"{ERR} F {ERROR[30:]}"], [ERROR, "GET /"]),
        ([f"{ERR} P {ERROR[:30]}", f"{OUT} P GET ", f"{ERR} F {ERROR[30:]}", f"{OUT} F /"], [ERROR, "GET /"]),
        ([f"{ERR} F one", "no transport", f"{ERR} F two"], ["one", "no transport", "two"]),
        ([f"{ERR} P {ERROR}"], [ERROR]),  # the end is not there
        (
            [
                f'{{"log":"{ERROR[:30]}","stream":"stderr","time":"{AT}"}}',
                f'{{"log":"{ERROR[30:]}\\n","stream":"stderr"}}',
            ],
            [ERROR],
        ),
    ],
)
def test_parts_are_joined_by_their_stream(lines: list[str], texts: list[str]) -> None:
    assert [line.text for _, line in joined(lines)] == texts
    if ERROR in texts:
        assert ERROR in flat("\n".join(lines))


def test_a_line_that_is_whole_is_left_as_it_is_written() -> None:
    assert [written for written, _ in joined([f"{ERR} F one", "two"])] == [f"{ERR} F one", "two"]
