"""An event that does not hold the key in its after image (binlog_row_image=MINIMAL): the source's row was called missing, because it
was looked for by that image. What was not looked for is not missing either."""

from __future__ import annotations

from replfix.lab.lab_accounts import REPLFIX
from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from tests.integration.running import replfix


def test_it_is_found_by_the_key_of_the_before_image(any_pair: Lab) -> None:
    with any_pair.source.session() as source:
        source.execute("CREATE DATABASE shop")
        source.execute("CREATE TABLE shop.t (id INT PRIMARY KEY, a INT, b VARCHAR(10))")
        source.execute("INSERT INTO shop.t VALUES (1, 1, 'x'), (2, 2, 'y')")
        any_pair.wait_until_applied()
        write_locally(any_pair.replica, "DELETE FROM shop.t WHERE id = 1", logged=False)
        source.execute("SET SESSION binlog_row_image = 'MINIMAL'")
        source.execute("UPDATE shop.t SET a = 9 WHERE id = 1")
    wait_until_stopped(any_pair.replica)
    config = ("--config", str(any_pair.config_file))
    (conflict,) = replfix("diagnose", "replica1", *config, "--json").document["conflicts"]
    assert conflict["source_row"] == {"id": 1, "a": 9, "b": "x"}

    nobody = ("--replica", any_pair.replica.url(REPLFIX), "--source", "mysql://replfix:replfix@127.0.0.1:1")
    (conflict,) = replfix("diagnose", *nobody, "--json").document["conflicts"]
    assert conflict["source_row"] == {"not_read": "the source cannot be reached"}
    said = replfix("diagnose", *nobody).out
    assert "(not read)" in said
    assert "source now: not read, because the source cannot be reached." in " ".join(said.split())
