"""``replfix forecast``: what the backlog of a stopped replica conflicts with, who wrote the rows, and the exit codes."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from replfix.lab.replicate import wait_until_received, wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from tests.integration.running import replfix


def looked_ahead(lab: Lab, code: int, *options: str, name: str = "replica1") -> dict[str, Any]:
    ran = replfix("forecast", name, "--config", str(lab.config_file), "--json", *options)
    assert (ran.code, ran.err) == (code, "")
    return ran.document


def test_conflicts_their_authors_and_the_exit_codes(any_pair: Lab, tmp_path: Path) -> None:
    with any_pair.source.session() as source:
        source.execute("CREATE DATABASE d")
        source.execute("CREATE TABLE d.t (id INT PRIMARY KEY, a VARCHAR(20) UNIQUE)")
        source.execute("INSERT INTO d.t VALUES (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four')")
    any_pair.wait_until_applied()
    nothing = looked_ahead(any_pair, 0)
    assert (nothing["conflicts"], nothing["scanned"]["complete"]) == ([], True)

    write_locally(any_pair.replica, "DELETE FROM d.t WHERE id IN (1, 2)", "UPDATE d.t SET a = 'here' WHERE id = 3")
    write_locally(any_pair.replica, "INSERT INTO d.t VALUES (9, 'unlogged')", logged=False)
    changes = (
        "UPDATE d.t SET a = 'uno' WHERE id = 1",
        "DELETE FROM d.t WHERE id = 2",
        "UPDATE d.t SET a = 'tres' WHERE id = 3",
        "UPDATE d.t SET a = 'cuatro' WHERE id = 4",
        "INSERT INTO d.t VALUES (9, 'nine')",
    )
    with any_pair.source.session() as source:
        for change in changes:
            source.execute(change)
    wait_until_stopped(any_pair.replica)
    wait_until_received(any_pair.source, any_pair.replica)

    found = looked_ahead(any_pair, 3, "--values")
    conflicts = found["conflicts"]
    assert [(c["alias"], c["errno"], c["effect"], c["transaction"]["number"]) for c in conflicts] == [
        ("update_missing", 1032, "stops", 1),
        ("delete_missing", 1032, "stops", 2),
        ("update_origin_differs", None, "overwrites", 3),
        ("insert_exists", 1062, "stops", 5),
    ]
    assert conflicts[3]["replica_row"] == {"id": 9, "a": "unlogged"}
    assert [(g["author"] is not None, g["conflicts"]) for g in found["groups"]] == [
        (True, [0, 1]),
        (True, [2]),
        (False, [3]),
    ]
    assert (found["scanned"]["transactions"], found["scanned"]["rows"]) == (5, 5)
    assert Counter(c["effect"] for c in looked_ahead(any_pair, 3)["conflicts"]) == {"stops": 3}

    # the first transaction alone: it conflicts; and of a second replica, nothing can be known
    config = tmp_path / "two.toml"
    gone = '\n[replicas.gone]\nhost = "127.0.0.1"\nport = 1\nuser = "x"\n'
    config.write_text(any_pair.config_file.read_text() + gone)
    config.chmod(0o600)
    ran = replfix("forecast", "replica1", "gone", "--max-rows", "1", "--config", str(config))
    assert ran.code == 6, "the worst of 3 and 6"
    assert "replica1: the default channel: 1 conflict ahead stops the replica" in ran.out
    assert "Not everything was looked at." in ran.out
    assert "--max-rows" in ran.out.partition("Not looked at")[2]
    assert "✗ gone: Cannot connect to" in ran.out

    # the rows are back: nothing found in the first one, and not everything looked at
    write_locally(any_pair.replica, "INSERT INTO d.t VALUES (1, 'one'), (2, 'two')", logged=False)
    assert looked_ahead(any_pair, 4, "--max-rows", "1")["scanned"]["complete"] is False
    assert json.loads(replfix("schema", "forecast").out)["title"] == "ForecastDocument"
