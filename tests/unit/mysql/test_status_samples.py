"""What servers of other versions said, as people published it: a status row, the worker's words, or both.

The values are the servers' forms; names and addresses are replaced. ``origin`` says where each comes from.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from replfix.core.replication import applier_error
from replfix.core.replication.applier_error import ApplierError
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.replica_status import WorkerError
from replfix.mysql.connection.terms import current_names
from replfix.mysql.read.status_rows import channel
from tests.places import GOLDEN

SAMPLES = sorted((GOLDEN / "status").glob("*.json"))


def failure(sample: dict[str, Any]) -> ApplierError:
    if sample["row"] is None:
        said = sample["workers"][0]
        return applier_error.parse(said["errno"], said["message"], said["gtid"])
    row = current_names(sample["row"])
    workers = tuple(WorkerError(w["worker"], w["errno"], w["message"], w["gtid"]) for w in sample["workers"])
    found = channel(
        row,
        workers,
        name=row.get("Channel_Name", ""),
        source_uuid=row["Source_UUID"],
        retrieved=GtidSet.parse(row["Retrieved_Gtid_Set"]),
        auto_position=row["Auto_Position"] == "1",
    ).failure
    assert found is not None
    return found


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_recorded_failure(path: Path) -> None:
    sample = json.loads(path.read_text("utf-8"))
    found = failure(sample)
    assert {name: getattr(found, name) for name in sample["expects"]} == sample["expects"]
    assert sample["origin"]


def test_a_row_of_5_6_in_full() -> None:
    sample = json.loads((SAMPLES[0]).read_text("utf-8"))
    assert SAMPLES[0].stem.startswith("5.6")
    row = current_names(sample["row"])
    found = channel(row, (), name="", source_uuid=row["Source_UUID"], retrieved=GtidSet(), auto_position=True)
    assert (str(found.applied_to), str(found.received_to)) == (
        "master-bin.005138:296293666",
        "master-bin.005166:400660323",
    )
    assert found.filters.wild_do_table == ("shop.%", "finance.%")
    assert (found.applier_running, found.lag_seconds, found.source_port) == (False, None, 3306)
