"""Hundreds of conflicts of every kind, each in a transaction of its own: planned together, taken back together, and up to what needs a
human. Judged by plain SQL."""

from __future__ import annotations

from replfix.lab.replicate import wait_until_received, wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from tests.integration.running import Ran, replfix

EACH = 50
"""Rows of each of six kinds."""
KINDS = (
    "INSERT INTO d.t VALUES ({n}, 'n{n}', 1)",  # the key is another row's
    "INSERT INTO d.t VALUES ({n}, 'taken{n}', 1)",  # the unique value is
    "UPDATE d.t SET v = v + 1 WHERE id = {n}",  # the row is missing
    "DELETE FROM d.t WHERE id = {n}",  # the same
    "UPDATE d.t SET u = 'moved{n}' WHERE id = {n}",  # the value that it gets is taken
    "INSERT INTO d.w (a, b) VALUES ({n}, 'w{n}')",  # in another table, by a key of text
)


def ids(kind: int) -> range:
    return range(1000 * (kind + 1), 1000 * (kind + 1) + EACH)


def values(*rows: str) -> str:
    return ", ".join(f"({row})" for row in rows)


def stage(lab: Lab, *in_the_middle: str) -> None:
    """``in_the_middle``: what the source does after half of it."""
    (lab.directory / "audit.db").unlink(missing_ok=True)
    there = values(*(f"{n}, 'n{n}', 0" for kind in (2, 3, 4) for n in ids(kind)))
    here = values(
        *(f"{n}, 'local{n}', 7" for n in ids(0)),
        *(f"{n + 90000}, 'taken{n}', 7" for n in ids(1)),
        *(f"{n + 90000}, 'moved{n}', 7" for n in ids(4)),
    )
    gone = ", ".join(str(n) for kind in (2, 3) for n in ids(kind))
    others = values(*(f"7, 'w{n}'" for n in ids(5)))
    with lab.source.session() as source:
        for statement in (
            "CREATE DATABASE d",
            "CREATE TABLE d.t (id INT PRIMARY KEY, u VARCHAR(20) UNIQUE, v INT)",
            "CREATE TABLE d.w (a INT, b VARCHAR(20) PRIMARY KEY)",
            "CREATE TABLE d.m (id INT PRIMARY KEY) ENGINE = MyISAM",
            f"INSERT INTO d.t VALUES {there}",
        ):
            source.execute(statement)
        lab.wait_until_applied()
        write_locally(
            lab.replica,
            f"INSERT INTO d.t VALUES {here}",
            f"DELETE FROM d.t WHERE id IN ({gone})",
            f"INSERT INTO d.w VALUES {others}",
            "INSERT INTO d.m VALUES (1)",
        )
        for number in range(EACH):
            for statement in in_the_middle if number == EACH // 2 else ():
                source.execute(statement)
            for kind, statement in enumerate(KINDS):
                source.execute(statement.format(n=ids(kind)[number]))
    wait_until_received(lab.source, lab.replica)
    wait_until_stopped(lab.replica)


def rows(lab: Lab, table: str) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """Of the source, and of the replica."""
    found = []
    for server in (lab.source, lab.replica):
        with server.session() as session:
            found.append(sorted(session.rows(f"SELECT * FROM d.{table}"), key=repr))
    return found[0], found[1]


def resolve(lab: Lab, *options: str) -> Ran:
    return replfix("resolve", "replica1", "--yes", *options, "--config", str(lab.config_file), "--json")


def test_all_of_them_and_back_again(any_pair: Lab) -> None:
    stage(any_pair)
    dry = replfix("resolve", "replica1", "--dry-run", "--config", str(any_pair.config_file), "--json")
    assert dry.code == 3, dry.out[:2000] + dry.err
    ran = resolve(any_pair, "--max-rounds", "1")
    assert (ran.code, ran.document["outcome"]) == (0, "resolved"), ran.out[:2000] + ran.err
    (round_,) = ran.document["rounds"]
    assert [each["digest"] for each in dry.document["rounds"]] == [round_["digest"]]
    assert (round_["transactions"], round_["verified"], ran.document["displaced_rows"]) == (6 * EACH, True, 4 * EACH)
    any_pair.wait_until_applied()
    for table in ("t", "w"):
        theirs, ours = rows(any_pair, table)
        assert ours == theirs

    record = round_["audit_id"]
    shown = replfix("audit", "show", record, "--config", str(any_pair.config_file))
    assert f"{6 * EACH} transactions, from " in shown.out
    refused = replfix("undo", record, "--yes", "--config", str(any_pair.config_file), "--json")
    assert (refused.code, refused.document["outcome"]) == (4, "refused")
    assert f"{6 * EACH:,}" not in refused.document["message"], "the first few reasons, not all"

    # Rows whose places are free again come back, all of them.
    back = range(7000, 7000 + EACH)
    write_locally(any_pair.replica, f"INSERT INTO d.t VALUES {values(*(f'{n}, {n}, 7' for n in back))}")
    with any_pair.source.session() as session:
        for n in back:
            session.execute(f"INSERT INTO d.t VALUES ({n}, 'again{n}', 1)")
    wait_until_received(any_pair.source, any_pair.replica)
    wait_until_stopped(any_pair.replica)
    again = resolve(any_pair)
    assert (again.code, again.document["rounds"][0]["transactions"]) == (0, EACH), again.out[:2000] + again.err
    with any_pair.source.session() as session:
        session.execute("DELETE FROM d.t WHERE id >= 7000")
    any_pair.wait_until_applied()
    record = again.document["rounds"][0]["audit_id"]
    undone = replfix("undo", record, "--yes", "--config", str(any_pair.config_file), "--json")
    assert (undone.code, undone.document["outcome"]) == (0, "undone"), undone.out[:2000] + undone.err
    theirs, ours = rows(any_pair, "t")
    assert {str(row[0]) for row in ours} - {str(row[0]) for row in theirs} == set(map(str, back))
    assert replfix("audit", "verify", "--config", str(any_pair.config_file)).code == 0


def test_up_to_what_needs_a_human(pair: Lab) -> None:
    """A table that cannot be rolled back: what comes before it is done, and nothing after it is touched."""
    stage(pair, "INSERT INTO d.m VALUES (1)")
    ran = resolve(pair)
    assert (ran.code, ran.document["outcome"]) == (3, "needs_human"), ran.out[:2000] + ran.err
    assert sum(each["transactions"] for each in ran.document["rounds"]) == 3 * EACH
    assert "d.m is a MyISAM table" in ran.document["message"]
    assert all(each["verified"] for each in ran.document["rounds"])
    left = {(str(n), f"local{n}", "7") for n in ids(0)[EACH // 2 :]}
    assert left <= {tuple(map(str, row)) for row in rows(pair, "t")[1]}
