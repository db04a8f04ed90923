"""A lab's state file, its configuration, its scenarios: what can be told without servers."""

from __future__ import annotations

import ast
import dataclasses
import json
from pathlib import Path

import pytest

from replfix.core.diagnosis.causes import CAUSES
from replfix.errors import UsageError
from replfix.lab import flavours, lab_accounts, lab_state, native, scenarios
from replfix.lab.lab_state import LabServer, Role, State
from replfix.lab.processes import ProcessRef
from replfix.lab.provision.docker import Image
from replfix.lab.provision.software import Software
from replfix.lab.scenario import Scenario
from tests.places import DOCS, ROOT

MYSQL, MARIADB = flavours.find("mysql"), flavours.find("mariadb-10.11")
SOFTWARE = Software(
    MYSQL, "test", "9.7.4-2", ("/p/ld.so", "--library-path", "/p/lib", "/p/mysqld"), ("--x=1",), "/p/bin"
)


def lab(directory: Path) -> State:
    source = LabServer("source", Role.SOURCE, 40001, 1, directory / "source", ProcessRef(17, "boot/4"))
    replica = LabServer("replica1", Role.REPLICA, 40002, 2, directory / "replica1", container="abc")
    return State("t", directory, SOFTWARE, (source, replica))


@pytest.mark.parametrize(
    "provision", [SOFTWARE, dataclasses.replace(SOFTWARE, flavour=MARIADB), Image(MARIADB, "mariadb:10.11")]
)
def test_state_is_read_as_it_was_saved(tmp_path: Path, provision: Software | Image) -> None:
    saved = dataclasses.replace(lab(tmp_path), provision=provision, network="n1")
    saved.save()
    assert lab_state.read(tmp_path) == saved


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        '"x"',
        '{"schema": 7}',
        '{"schema": "replfix.lab-state/1"}',
        "\0",
        '{"schema": "other/1"}',
    ],
)
def test_damaged_state_is_no_state(tmp_path: Path, text: str) -> None:
    lab_state.state_file(tmp_path).write_text(text)
    assert lab_state.read(tmp_path) is None


def test_a_state_from_before_there_were_several_servers(tmp_path: Path) -> None:
    lab(tmp_path).save()
    file = lab_state.state_file(tmp_path)
    data = json.loads(file.read_text())
    del data["provision"]["software"]["flavour"]
    file.write_text(json.dumps(data))
    assert lab_state.read(tmp_path) == lab(tmp_path)
    data["provision"]["software"]["flavour"] = "oracle"
    file.write_text(json.dumps(data))
    assert lab_state.read(tmp_path) is None


@pytest.mark.parametrize("name", ["../../etc", "a/b", ".."])
def test_a_servers_name_never_leads_out_of_the_lab(tmp_path: Path, name: str) -> None:
    lab(tmp_path).save()
    file = lab_state.state_file(tmp_path)
    data = json.loads(file.read_text())
    data["servers"][0]["name"] = name
    file.write_text(json.dumps(data))
    assert lab_state.read(tmp_path) is None


def test_endpoints_and_urls(tmp_path: Path) -> None:
    source = lab(tmp_path).servers[0]
    assert source.url() == "mysql://replfix:replfix@127.0.0.1:40001"
    assert source.endpoint(lab_accounts.ADMIN).user == "admin"
    assert "admin" not in str(source.endpoint(lab_accounts.ADMIN))


def test_a_long_directory_gets_a_short_socket(tmp_path: Path) -> None:
    short = LabServer("source", Role.SOURCE, 1, 1, Path("/l/source"))
    assert native.socket_path(short) == Path("/l/source/mysql.sock")
    directory = tmp_path / ("x" * 100) / "lab"
    long = LabServer("replica1", Role.REPLICA, 1, 1, directory / "replica1")
    path = native.socket_path(long)
    try:
        assert len(str(path)) < 100
        assert path.parent == native.short_directory(directory)
        assert path.parent.stat().st_mode & 0o077 == 0
    finally:
        path.parent.rmdir()


@pytest.mark.parametrize("flavour", [MYSQL, MARIADB], ids=["mysql", "mariadb"])
def test_accounts_are_created_by_one_line_each(flavour: flavours.Flavour) -> None:
    statements = lab_accounts.statements(flavour)
    assert all("\n" not in statement for statement in statements)  # mysqld's init file wants lines
    assert not any("ALL PRIVILEGES" in line for line in statements if "'replfix'" in line)


def test_free_ports_differ() -> None:
    assert len(set(native.free_ports(9))) == 9


def test_unknown_scenarios() -> None:
    with pytest.raises(UsageError) as caught:
        scenarios.find("two-writer")
    assert caught.value.hint.startswith("Did you mean 'two-writers'?")
    with pytest.raises(UsageError):
        scenarios.find("../scenario")


@pytest.mark.parametrize("found", scenarios.every(), ids=scenarios.names())
def test_scenarios_are_what_their_files_say(found: Scenario) -> None:
    assert found.name in scenarios.names()
    assert scenarios.find(found.name) is found
    assert len(found.story.split()) > 20
    expects = found.expects
    if expects.errno != 1452:  # the child is named, and its parent is missing
        assert expects.conflicts[0].table == f"{expects.schema}.{expects.table}"
    assert (expects.key is None) == (expects.errno != 1062)
    assert expects.key in (None, f"{expects.table}.{expects.conflicts[0].key}")
    assert expects.cause in {cause.CODE for cause in CAUSES}


def test_every_scenario_is_documented() -> None:
    page = (DOCS / "commands" / "lab.md").read_text(encoding="utf-8")
    for name in scenarios.names():
        assert f"`{name}`" in page


def test_no_address_of_a_mirror_is_written_in_the_code() -> None:
    package = Path(native.__file__).parent
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert "http://" not in node.value, path
                assert "https://" not in node.value, path


def test_the_compose_file_creates_the_same_accounts() -> None:
    script = (ROOT / "docker" / "accounts.sql").read_text(encoding="utf-8")
    statements = [line.rstrip(";") for line in script.splitlines() if not line.startswith("--")]
    assert statements == ["SET sql_log_bin = 0", *lab_accounts.statements(MYSQL)]
