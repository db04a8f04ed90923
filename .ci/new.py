"""Make a new cause, strategy, finding, scenario or command: its module, its line in the list, its page and its test.

``make cause NAME=my-cause`` runs this. What is left to write is marked, and the tests fail until no mark is left.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
MARK = "FILL" + " IN"  # in two parts: this line is not one to fill in


class Wrong(Exception):
    """It cannot be made; the message says why."""


class Thing:
    """What is being made. Nothing is written before everything is known to fit."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.module = name.replace("-", "_")
        self._texts: dict[Path, str] = {}

    def new(self, path: str, text: str) -> None:
        file = ROOT / path
        if file.exists():
            raise Wrong(f"{path} is there already.")
        for key, value in (("@name@", self.name), ("@module@", self.module), ("@mark@", MARK)):
            text = text.replace(key, value)
        self._texts[file] = text

    def line(self, path: str, behind: str, line: str) -> None:
        """Put one line into a file, behind the last line that matches."""
        file = ROOT / path
        lines = self._texts.get(file, file.read_text("utf-8")).splitlines()
        found = [number for number, each in enumerate(lines) if re.search(behind, each)]
        if not found:
            raise Wrong(f"{path} has no line like {behind!r}: where is {line!r} to go?")
        lines.insert(found[-1] + 1, line)
        self._texts[file] = "\n".join(lines) + "\n"

    def listed(self, folder: str, tuple_name: str) -> None:
        """Import the module in the ``__init__.py`` of its folder, and name it last in the tuple."""
        path = f"{folder}/__init__.py"
        file = ROOT / path
        text = file.read_text("utf-8")
        imports = re.search(rf"from {folder.replace('/', '.')} import \(\n((?:    \w+,\n)+)\)", text)
        members = re.search(rf"^{tuple_name}: .*= \(\n((?:    \w+,\n)+)\)", text, re.MULTILINE)
        if imports is None or members is None:
            raise Wrong(f"{path} has no import of its modules, or no {tuple_name}.")
        line = f"    {self.module},\n"
        text = text[: members.end(1)] + line + text[members.end(1) :]
        text = text[: imports.start(1)] + "".join(sorted([*imports[1].splitlines(True), line])) + text[imports.end(1) :]
        self._texts[file] = text

    def named(self, path: str, tuple_name: str) -> None:
        """Put the name last into a tuple of names."""
        file = ROOT / path
        text = file.read_text("utf-8")
        names = re.search(rf"^{tuple_name} = \(([^()]*?),?\s*\)", text, re.MULTILINE)
        if names is None:
            raise Wrong(f"{path} has no tuple {tuple_name}.")
        self._texts[file] = f'{text[: names.end(1)]}, "{self.name}"{text[names.end(1) :]}'

    def write(self) -> list[str]:
        for file, text in self._texts.items():
            file.write_text(text, "utf-8")
        code = [str(file) for file in self._texts if file.suffix == ".py"]
        subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", *code], cwd=ROOT, check=True)
        return [str(file.relative_to(ROOT)) for file in self._texts]


def page(title: str, like: str) -> str:
    """A page with the headings of one that is there."""
    headings = re.findall(r"^## .*$", (ROOT / like).read_text("utf-8"), re.MULTILINE)
    return "\n\n".join([f"# {title}", "@mark@: in a sentence or two.", *(f"{each}\n\n@mark@" for each in headings), ""])


def cause(thing: Thing) -> None:
    thing.new(
        f"replfix/core/diagnosis/causes/{thing.module}.py",
        '''"""@mark@: what happened, and why the replica stops on it."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.evidence import Evidence

CODE = "@name@"


def examine(evidence: Evidence) -> Cause | None:
    if evidence.reconciliation is None:
        return None
    facts: list[str] = []  # @mark@: sentences, each a fact that was read
    if not facts:
        return None
    return Cause(CODE, Confidence.LOW, "@mark@: what happened, in one sentence.", tuple(facts))
''',
    )
    thing.listed("replfix/core/diagnosis/causes", "CAUSES")
    thing.new(f"docs/causes/{thing.name}.md", page(thing.name, "docs/causes/two-rows.md"))
    row = f"| [{thing.name}](causes/{thing.name}.md) | {MARK}: what happened, in one sentence. |"
    thing.line("docs/README.md", r"^\| \[[\w-]+\]\(causes/", row)
    thing.new(
        f"tests/unit/core/diagnosis/test_{thing.module}.py",
        '''"""When the cause @name@ is concluded, and when it is not."""

from __future__ import annotations

from dataclasses import replace

from replfix.core.diagnosis.causes import @module@
from tests.unit.fakes import Rows
from tests.unit.making import ORDERS, evidence, inserted

CONFLICT = evidence([inserted(ORDERS, 1, "A", None)], Rows.of(ORDERS).holding(ORDERS, (1, "B", None)))


def test_it_is_not_concluded_from_any_conflict() -> None:
    assert @module@.examine(CONFLICT) is None


def test_it_is_not_concluded_where_no_rows_were_read() -> None:
    assert @module@.examine(replace(CONFLICT, reconciliation=None)) is None


# @mark@: the evidence that leads to it. On real servers: tests/integration/stagings.py, with what looks like it and is not.
''',
    )


def strategy(thing: Thing) -> None:
    thing.new(
        f"replfix/core/strategies/{thing.module}.py",
        '''"""``@name@``: @mark@."""

from __future__ import annotations

from replfix.core.diagnosis.diagnosis import Proposal
from replfix.core.incident.evidence import Evidence

NAME = "@name@"
SUMMARY = "@mark@: what becomes of the rows, in one sentence."


def propose(evidence: Evidence) -> Proposal:
    """Return the plan of this strategy, or why there is none."""
    if evidence.transaction is None:
        return Proposal(NAME, None, "The failing transaction could not be read.")
    return Proposal(NAME, None, "@mark@: a plan, or why there is none.")
''',
    )
    thing.listed("replfix/core/strategies", "STRATEGIES")
    thing.new(f"docs/strategies/{thing.name}.md", page(thing.name, "docs/strategies/skip.md"))
    row = f"| [{thing.name}](strategies/{thing.name}.md) | {MARK}: what becomes of the rows, in one sentence. |"
    thing.line("docs/README.md", r"^\| \[[\w-]+\]\(strategies/", row)
    thing.new(
        f"tests/unit/core/plan/test_{thing.module}.py",
        '''"""What the strategy @name@ proposes, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

from replfix.core.strategies import @module@
from tests.unit.fakes import Rows
from tests.unit.making import ORDERS, evidence, inserted

CONFLICT = evidence([inserted(ORDERS, 1, "A", None)], Rows.of(ORDERS).holding(ORDERS, (1, "B", None)))


def test_without_the_transaction_it_plans_nothing_and_says_why() -> None:
    proposal = @module@.propose(replace(CONFLICT, transaction=None))
    assert proposal.plan is None
    assert "could not be read" in proposal.reason


# @mark@: the plan for CONFLICT, and each reason why there is none.
''',
    )


def finding(thing: Thing) -> None:
    thing.new(
        f"replfix/core/advisor/findings/{thing.module}.py",
        '''"""@mark@: what is wrong with the topology, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.advisor.survey import Survey
from replfix.core.diagnosis.finding import Finding, Severity

CODE = "@name@"


def examine(survey: Survey) -> Iterator[Finding]:
    for node in survey.nodes:
        facts: list[str] = []  # @mark@: sentences, each a fact that was read
        if facts:
            yield Finding(CODE, Severity.INFO, "@mark@: what is wrong.", node=node.name, evidence=tuple(facts))
''',
    )
    thing.listed("replfix/core/advisor/findings", "FINDINGS")
    row = f"| `{thing.name}` | info | {MARK}: what it means | {MARK}: what helps |"
    thing.line("docs/commands/advise.md", r"^\| `[\w-]+` \| (critical|warning|info)", row)
    thing.new(
        f"tests/unit/advisor/test_{thing.module}.py",
        '''"""When the finding @name@ is reported, and when it is not."""

from __future__ import annotations

from replfix.core.advisor.findings import @module@
from replfix.core.advisor.survey import Survey
from tests.unit.advisor.making_topologies import NOW, circle, node


def test_servers_that_are_well_set_up_have_none() -> None:
    assert list(@module@.examine(circle(node(1, 2, 1), node(2, 2, 2)))) == []


def test_servers_that_were_not_reached_have_none() -> None:
    assert list(@module@.examine(Survey(NOW, (), ()))) == []


# @mark@: the topology that has it. On real servers: tests/integration/advisor/test_advise.py.
''',
    )


def scenario(thing: Thing) -> None:
    thing.new(
        f"replfix/lab/scenarios/{thing.module}.py",
        '''"""@mark@: the error, and what somebody did."""

from __future__ import annotations

from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.scenario import ExpectedConflict, Expects, Scenario
from replfix.lab.shop import on_source, open_shop
from replfix.lab.topology import Lab

_ROW = "INSERT INTO shop.orders (id, order_no, customer_id, amount, status) VALUES (5, '{}', 4, 10.00, 'paid')"


def stage(lab: Lab) -> None:
    """@mark@: break it in your own way."""
    open_shop(lab)
    write_locally(lab.replica, _ROW.format("R-0001"))
    on_source(lab, _ROW.format("A-1005"))
    wait_until_stopped(lab.replica)


SCENARIO = Scenario(
    name="@name@",
    title="@mark@",
    story=(
        "@mark@: who did what, on which server, and why; what the application did next; and on which statement the "
        "replica stopped: a few sentences that somebody on call would recognise."
    ),
    stage=stage,
    expects=Expects(
        errno=1062,
        event="Write_rows",
        schema="shop",
        table="orders",
        key="orders.PRIMARY",
        conflicts=(ExpectedConflict("duplicate", "shop.orders", "PRIMARY"),),
        cause="local-write",
        displaced_rows=1,
    ),
)
''',
    )
    row = f"| `{thing.name}` | 1062 | {MARK}: what happened | `local-write` |"
    thing.line("docs/commands/lab.md", r"^\| `[\w-]+` \| \d{4}\b.*\| `[\w-]+` \|$", row)
    thing.line("docs/causes/local-write.md", r"^replfix lab break ", f"replfix lab break {thing.name}    # {MARK}")
    thing.new(
        f"tests/unit/lab/test_{thing.module}.py",
        '''"""What the scenario @name@ promises. tests/integration/lab/test_scenarios.py stages it, as it does every one."""

from __future__ import annotations

from replfix.core.diagnosis.causes import CAUSES
from replfix.lab import scenarios


def test_it_is_found_by_its_name_and_leads_to_a_cause_that_there_is() -> None:
    found = scenarios.find("@name@")
    assert found.name == "@name@"
    assert found.expects.cause in {cause.CODE for cause in CAUSES}
''',
    )


def command(thing: Thing) -> None:
    if "-" in thing.name:
        raise Wrong("A command is one word: its module has its name.")
    class_name = thing.name.capitalize()
    thing.new(
        f"replfix/cli/commands/{thing.module}.py",
        f'''"""``replfix @name@``."""

from __future__ import annotations

import click

from replfix.cli.options import common_options
from replfix.cli.output import console, emit


@click.command(
    "@name@",
    epilog="""\\b
Examples:
  replfix @name@
  replfix @name@ --json""",
)
@common_options
def command(config_path: str | None, as_json: bool, verbose: bool) -> int:  # noqa: ARG001
    """@mark@: what it does, and whether it only reads."""
    from replfix.cli.documents.{thing.module} import {class_name}Document

    document = {class_name}Document(message="@mark@: call the workflow, which does it.")
    if as_json:
        emit(document)
    else:
        console().print(document.message)
    return 0
''',
    )
    thing.new(
        f"replfix/cli/documents/{thing.module}.py",
        f'''"""``replfix.@name@/1``."""

from __future__ import annotations

from typing import Literal

from replfix.cli.documents.base import Document


class {class_name}Document(Document):
    schema_name: Literal["replfix.@name@/1"] = "replfix.@name@/1"
    message: str
''',
    )
    thing.named("replfix/cli/app.py", "COMMANDS")
    thing.new(
        f"docs/commands/{thing.name}.md",
        f"# replfix {thing.name}\n\n@mark@: what it does, and whether it only reads.\n\n"
        f"```\nreplfix {thing.name}\nreplfix {thing.name} --json\n```\n\n"
        "| option | |\n|---|---|\n| `--config FILE`, `--json`, `--verbose` | as everywhere |\n",
    )
    thing.line("docs/README.md", r"^\| \[\w+\]\(commands/", f"| [{thing.name}](commands/{thing.name}.md) | {MARK} |")
    thing.line(
        "README.md",
        r"^\| \[`\w+`\]\(docs/commands/",
        f"| [`{thing.name}`](docs/commands/{thing.name}.md) | {MARK}: what it does | {MARK}: what it writes |",
    )
    thing.line("docs/commands/schema.md", r"^\| `lab`", f"| `{thing.name}` | [{thing.name}]({thing.name}.md) |")
    thing.new(
        f"tests/unit/faces/test_{thing.module}_command.py",
        '''"""``replfix @name@``: its document, its text and its exit code."""

from __future__ import annotations

import json

import pytest

from replfix.cli.app import run


def test_it_prints_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["@name@", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "replfix.@name@/1"


def test_it_says_the_same_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["@name@", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert run(["@name@"]) == 0
    assert capsys.readouterr().out.strip() == document["message"]
''',
    )


MAKERS: dict[str, Callable[[Thing], None]] = {
    "cause": cause,
    "strategy": strategy,
    "finding": finding,
    "scenario": scenario,
    "command": command,
}


def main(arguments: Sequence[str]) -> str:
    """Make it; what was written, and what is to be done now."""
    if len(arguments) != 2 or arguments[0] not in MAKERS:
        raise Wrong(f"Usage: make {'|'.join(MAKERS)} NAME=my-name")
    kind, name = arguments
    if not NAME.fullmatch(name):
        raise Wrong(f"{name!r} is no name: small letters, digits and single hyphens, as in my-{kind}.")
    thing = Thing(name)
    MAKERS[kind](thing)
    written = "\n  ".join(thing.write())
    return (
        f"Written:\n  {written}\nNext: git grep --untracked -n '{MARK}', and docs/development.md, \"Adding something\"."
    )


if __name__ == "__main__":
    try:
        sys.stdout.write(main(sys.argv[1:]) + "\n")
    except Wrong as why:
        sys.exit(str(why))
