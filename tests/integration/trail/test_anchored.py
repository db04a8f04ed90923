"""A resolution whose trail is anchored outside, and one where that fails: which is said, and undoes nothing."""

from __future__ import annotations

from pathlib import Path

from replfix.audit.anchors import AnchorFile
from replfix.lab import scenarios
from replfix.lab.proof import prove, snapshot
from replfix.lab.topology import Lab
from tests.integration.running import replfix


def test_each_incident_is_anchored_and_a_failure_is_said(any_pair: Lab, tmp_path: Path) -> None:
    lab = any_pair
    (lab.directory / "audit.db").unlink(missing_ok=True)
    healthy = snapshot(lab.replica)
    kept, nowhere = tmp_path / "kept", tmp_path / "not" / "mounted"
    config = lab.directory / "anchored.toml"
    config.write_text(f'{lab.config_file.read_text()}\nanchor = ["{nowhere}", "{kept}"]\n')
    scenarios.find("duplicate-unique").stage(lab)
    dry = replfix("resolve", "replica1", "--dry-run", "--config", str(config))
    assert dry.code == 3
    before = len(AnchorFile(kept).read())
    ran = replfix("resolve", "replica1", "--yes", "--config", str(config))
    assert ran.code == 0, ran.err
    assert str(nowhere) in ran.err
    assert "not kept there" in ran.err
    assert all(proven.holds for proven in prove(lab.source, lab.replica, healthy))
    anchors = AnchorFile(kept).read()
    assert len(anchors) == before + 1
    verified = replfix("audit", "verify", "--anchor", str(kept), "--config", str(lab.config_file), "--json")
    assert (verified.code, verified.document["head_hash"]) == (0, anchors[-1].hash)
    intent = replfix("audit", "list", "--kind", "intent", "--json", "--config", str(config)).document["records"][0][
        "id"
    ]
    assert replfix("undo", intent, "--yes", "--config", str(config)).code == 4
    (lab.directory / "audit.db").unlink()
    lost = replfix("audit", "verify", "--anchor", str(kept), "--config", str(lab.config_file))
    assert lost.code == 5
    assert "cut off" in lost.out
