"""Rules of the code base that no type checker knows."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

import replfix
from replfix import errors
from replfix.cli.app import COMMANDS, cli
from replfix.core.advisor.findings import FINDINGS
from replfix.core.diagnosis.causes import CAUSES
from replfix.core.explain.forms import FORMS
from replfix.core.explain.guide.frameworks import FRAMEWORKS
from replfix.core.explain.messages import MESSAGES
from replfix.core.explain.reasons import REASONS
from replfix.core.known_errors.families import FAMILIES
from replfix.core.strategies import STRATEGIES
from replfix.errors import ReplfixError
from replfix.lab import scenarios
from tests.places import DOCS, ROOT

PACKAGE = ROOT / "replfix"

# Identifiers of servers, which say them as they are. Everything else about older terms is in replfix/mysql/connection/terms.py.
VERBATIM = {
    "@master_binlog_checksum": "user variable that a source before 8.0.26 reads at COM_BINLOG_DUMP",
    "@master_heartbeat_period": "user variable that a source before 8.0.26 reads at COM_BINLOG_DUMP",
    "@slave_uuid": "user variable that a source before 8.0.26 reads at COM_BINLOG_DUMP",
    "REPLICATION SLAVE": "privilege, never renamed",
    "REPLICATION_SLAVE_ADMIN": "privilege, never renamed",
    "RESET MASTER": "statement before 8.2",
    "CHANGE MASTER": "statement of MariaDB, which has no other name for it",
    "MASTER_USE_GTID": "option of it",
    "MASTER_": "what its options begin with",
    "gtid_slave_pos": "variable of MariaDB, which has no other name for it",
    "slave_pos": "value of MASTER_USE_GTID",
    "SLAVE MONITOR": "privilege of MariaDB: GRANT knows REPLICA MONITOR too, SHOW GRANTS says this",
    "REPLICATION MASTER ADMIN": "privilege of MariaDB, which has no other name for it",
    "default_master_connection": "variable of MariaDB, which has no other name for it",
    "slave_exec_mode": "variable of MariaDB, which has no other name for it",
    "slave_skip_errors": "variable of MariaDB, which has no other name for it",
    "sql_slave_skip_counter": "variable of MariaDB, which has no other name for it",
    "slave_max_allowed_packet": "variable of MariaDB, which has no other name for it",
    "slave_max_statement_time": "variable of MariaDB, which has no other name for it",
    "slave_run_triggers_for_rbr": "variable of MariaDB, which has no other name for it",
    "slave_type_conversions": "variable of MariaDB, which has no other name for it",
    "sqlite_master": "SQLite's own catalogue",
}
OLD_TERMS = re.compile(r"(?<![a-z])(?:master|slave)s?(?![a-z])", re.IGNORECASE)


def _sources() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if p.relative_to(PACKAGE).as_posix() != "mysql/connection/terms.py")


@pytest.mark.parametrize("path", _sources(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_older_terms_are_known_in_one_place(path: Path) -> None:
    text = path.read_text("utf-8")
    for allowed in VERBATIM:
        text = text.replace(allowed, "")
    found = [line.strip() for line in text.splitlines() if OLD_TERMS.search(line)]
    assert not found


def _documented_exit_codes() -> dict[str, int]:
    tree = re.compile(r"^[\s│├└─]*(\w+)[ ]+(\d)[ ]{2,}", re.MULTILINE)
    return {name: int(code) for name, code in tree.findall(errors.__doc__ or "")}


def test_every_error_and_its_exit_code_stand_in_the_tree() -> None:
    classes = {n: e for n, e in vars(errors).items() if inspect.isclass(e) and issubclass(e, ReplfixError)}
    documented = _documented_exit_codes()
    assert documented == {n: e.exit_code for n, e in classes.items() if e is not ReplfixError}


LISTED = {
    "core/diagnosis/causes": CAUSES,
    "core/strategies": STRATEGIES,
    "core/known_errors/families": FAMILIES,
    "core/advisor/findings": FINDINGS,
    "core/explain/forms": FORMS,
    "core/explain/reasons": REASONS,
    "core/explain/messages": MESSAGES,
    "core/explain/guide/frameworks": FRAMEWORKS,
}
SHARED_BY_STRATEGIES = {"guards", "row_effects", "source_write", "undo_forecast", "undo_plan"}


@pytest.mark.parametrize("folder", LISTED)
def test_what_a_folder_holds_is_listed_in_it(folder: str) -> None:
    """A file that nobody lists is never asked."""
    held = {path.stem for path in (PACKAGE / folder).glob("*.py")} - {"__init__"}
    listed = [module.__name__.rpartition(".")[2] for module in LISTED[folder]]  # type: ignore[attr-defined]
    assert set(listed) == (held - SHARED_BY_STRATEGIES if folder == "core/strategies" else held)
    assert len(set(listed)) == len(listed)


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.CODE)
def test_a_cause_is_a_file_with_its_code_and_a_page(cause: ModuleType) -> None:
    assert cause.__name__.rpartition(".")[2] == cause.CODE.replace("-", "_")
    assert cause.__doc__
    assert (DOCS / "causes" / f"{cause.CODE}.md").is_file()


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.NAME)
def test_a_strategy_is_a_file_with_its_name_and_a_page(strategy: ModuleType) -> None:
    assert strategy.__name__.rpartition(".")[2] == strategy.NAME.replace("-", "_")
    assert strategy.SUMMARY.endswith(".")
    assert (DOCS / "strategies" / f"{strategy.NAME}.md").is_file()


SIBLINGS = 20
ONE_THING_A_FILE = {
    *LISTED,
    "lab/scenarios",
    "lab/topologies",
    "lab/flavours",
    "mysql/connection/dialects",
    "mysql/connection/managed",
    "audit/stores",
    "ports",
    "cli",
    "cli/commands",
    "cli/documents",
    "tui",
    "tui/screens",
    "tui/widgets",
}
"""Each file is one more of the same, by the name that people know it by, or a face of what has that name elsewhere."""


def _folders() -> list[Path]:
    return sorted({path.parent for path in PACKAGE.rglob("*.py")})


@pytest.mark.parametrize("folder", _folders(), ids=lambda f: f.relative_to(ROOT).as_posix())
def test_a_folder_can_be_looked_over(folder: Path) -> None:
    names = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    names |= {path.name for path in folder.iterdir() if (path / "__init__.py").is_file()}
    if folder.relative_to(PACKAGE).as_posix() not in ONE_THING_A_FILE:
        assert len(names) <= SIBLINGS, sorted(names)


def test_no_module_has_the_name_of_another() -> None:
    found: dict[str, list[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        folder = path.parent.relative_to(PACKAGE).as_posix()
        if path.stem not in ("__init__", "__main__") and folder not in ONE_THING_A_FILE:
            found.setdefault(path.stem, []).append(folder)
    assert {name: folders for name, folders in found.items() if len(folders) > 1} == {}


@pytest.mark.parametrize("name", scenarios.names())
def test_a_scenario_is_a_file_with_a_story(name: str) -> None:
    scenario = scenarios.find(name)
    assert scenario.name == name
    assert scenario.story.endswith(".")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_a_page_and_examples(name: str) -> None:
    page = ROOT / "docs" / "commands" / f"{name}.md"
    assert page.is_file(), f"docs/commands/{name}.md is missing"
    assert page.read_text("utf-8").startswith("# ")
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0
    assert "Examples:" in result.output
    assert f"replfix {name}" in result.output


def test_nothing_that_was_made_from_a_template_is_left_to_fill_in() -> None:
    """As ``.ci/new.py`` marks it."""
    mark = "FILL" + " IN"
    files = [path for folder in ("replfix", "tests", "docs") for path in (ROOT / folder).rglob("*.*")]
    left = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files
        if path.suffix in (".py", ".md")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if mark in line
    ]
    assert not left, "\n".join(left)


SLOW = ("rich", "pydantic", "pymysql", "pymysqlreplication", "sqlalchemy", "textual", "testcontainers", "cryptography")


@pytest.mark.parametrize("args", [["--help"], ["--version"], []], ids=["help", "version", "nothing"])
def test_help_imports_nothing_slow(args: list[str]) -> None:
    program = (
        "import sys; from replfix.cli.app import run; code = run(sys.argv[1:]); "
        f"print(code, sorted(m for m in {SLOW!r} if m in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program, *args], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout
    assert done.stderr.strip() == "0 []"


@pytest.mark.parametrize("command", ["status", "diagnose"])
def test_what_writes_no_trail_does_not_load_a_database_library(command: str) -> None:
    program = "import sys; from replfix.cli.app import run; code = run(sys.argv[1:]); print(code, 'sqlalchemy' in sys.modules)"
    arguments = [sys.executable, "-c", program, command, "--replica", "mysql://nobody@127.0.0.1:1"]
    done = subprocess.run(arguments, capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "6 False", done.stderr


def test_the_module_and_the_console_script_are_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "replfix", "--version"], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip().endswith(replfix.__version__)
