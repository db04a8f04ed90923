"""A replica refuses a statement or a row for a reason that no conflict of rows explains: an account, a routine, a partition, a privilege,
a limit, a setting. What is said is followed, every way of it, and ends in a running channel with equal servers or is left to a human."""

from __future__ import annotations

import pytest

from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import wait_until_stopped
from replfix.lab.topology import Lab
from tests.following.__main__ import every_way
from tests.following.follower import CAUGHT_UP, Follower
from tests.following.incident import Incident
from tests.following.refused import REFUSED

FOLLOWED = (
    "1142", "1227 table", "1227 account", "1396 create", "1396 drop of two", "1396 alter", "1396 rename", "1410", "1141", "1304", "1305 drop", "1359",
    "1347", "1517", "1701", "3730", "3750", "1197", "1114",
)  # fmt: skip
"""One of each kind; ``make follow`` takes all of them."""


@pytest.mark.parametrize("name", FOLLOWED)
def test_what_is_said_ends_it(pair: Lab, name: str) -> None:
    case = REFUSED[name]
    tried = every_way(pair, Incident(name, case.arrange))
    assert [str(followed) for followed in tried if followed.faults] == []
    assert CAUGHT_UP in [followed.end for followed in tried]
    if case.same_accounts:
        theirs, ours = [_accounts(server) for server in (pair.source, pair.replica)]
        assert ours == theirs


def _accounts(server: LabServer) -> list[tuple[str | None, ...]]:
    with server.session() as session:
        return list(session.rows("SELECT User, Host FROM mysql.user ORDER BY 1, 2"))


@pytest.mark.parametrize("name", ["1118"])
def test_what_cannot_be_told_is_shown_and_named(pair: Lab, name: str) -> None:
    case = REFUSED[name]
    case.arrange(pair)
    wait_until_stopped(pair.replica)
    document = Follower(pair).diagnose()
    assert (document["error"]["errno"], document["error"]["page"]) == (case.errno, f"docs/errors/{case.page}.md")
    said = " ".join(remedy["text"] for remedy in document["advice"])
    assert [words for words in case.words if words not in said] == []
    assert "replfix knows nothing" not in said
