"""The documentation says what the program does: commands parse, links lead somewhere, and everything has its page."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from replfix.cli.app import COMMANDS, cli
from replfix.cli.commands.schema import all_schemas
from replfix.cli.options import AlsoBefore
from replfix.core.advisor.findings import FINDINGS
from replfix.core.connection import privileges
from replfix.core.diagnosis.causes import CAUSES
from replfix.core.explain.reasons import REASONS
from replfix.core.strategies import STRATEGIES
from replfix.errors import ReplfixError
from replfix.lab import scenarios
from replfix.present.manual.topics import topics
from replfix.workflow.apply.execution import ENDED, REPAIR, UNDO, Stage
from tests.places import ROOT

DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md"), *(ROOT / ".github").glob("*.md")])
COMMAND_LINE = re.compile(r"(?:\$ )?(replfix(?: .*)?)\Z")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def fenced(text: str) -> Iterator[str]:
    """The lines within fences, continued lines joined."""
    for block in re.findall(r"^ *```\w*\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE):
        yield from block.replace("\\\n", " ").splitlines()


def prose(text: str) -> str:
    """The text without fences and inline code."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^ *```.*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE))


def command_lines(page: Path) -> list[str]:
    return [m[1] for line in fenced(page.read_text()) if (m := COMMAND_LINE.match(line.strip()))]


def words(line: str) -> list[str]:
    """The words of one command line: comments, redirections and what follows a pipe left out."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found: list[str] = []
    for word in lexer:
        if set(word) <= set("|&;<>()"):
            break
        found.append(word)
    return found[1:]


def parse(line: str) -> None:
    """Parse as click would; of a synopsis (``[--limit N]``) only that the options exist, for its values stand for others."""
    synopsis = "[" in line
    args = words(re.sub(r"[\[\]]", " ", line) if synopsis else line)
    command: click.Command = cli
    context = click.Context(cli, info_name="replfix")
    while isinstance(command, click.Group) and args:
        if args[0].startswith("-"):
            break
        found = command.get_command(context, args[0])
        assert found is not None, f"no command {args[0]!r} in: {line}"
        context = click.Context(found, info_name=args[0], parent=context)
        command, args = found, args[1:]
    try:
        if synopsis:
            command.make_parser(context).parse_args(args)
        else:
            command.make_context(context.info_name, args, parent=context.parent)
    except (click.UsageError, ReplfixError) as error:
        pytest.fail(f"{line}: {error}")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_line_in_the_documentation_parses(page: Path) -> None:
    for line in command_lines(page):
        parse(line)


@pytest.mark.parametrize("line", ["replfix resolve db2 --skip", "replfix fix db2", "replfix audit list --limit none"])
def test_a_command_line_that_does_not_exist_would_be_found(line: str) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        parse(line)


def every_command(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from every_command(found, (*path, name))


def test_every_example_in_the_help_parses() -> None:
    for _, command in every_command(cli):
        for line in (command.epilog or "").splitlines():
            if line.strip().startswith("replfix "):
                parse(re.split(r"\s{2,}", line.strip())[0])


def test_every_command_has_its_page_and_every_page_its_command() -> None:
    assert {page.stem for page in (DOCS / "commands").glob("*.md")} == set(COMMANDS)


@pytest.mark.parametrize("path", [p for p, _ in every_command(cli) if p], ids=" ".join)
def test_every_command_and_its_own_options_are_on_its_page(path: tuple[str, ...]) -> None:
    text = (DOCS / "commands" / f"{path[0]}.md").read_text()
    command = dict(every_command(cli))[path]
    assert path[-1] in text
    own = {
        option
        for parameter in command.params
        if isinstance(parameter, click.Option) and not isinstance(parameter, AlsoBefore)
        for option in parameter.opts
        if option.startswith("--")
    }
    assert {option for option in own if option not in text} == set()


def test_the_options_that_commands_share_are_listed_once() -> None:
    text = (DOCS / "configuration.md").read_text().partition("## Options")[2].partition("\n## ")[0]
    shared = {option for p in cli.params if isinstance(p, AlsoBefore) for option in p.opts}
    assert {option for option in shared if f"`{option}" not in text} == set()


def test_every_cause_has_its_page_and_every_page_its_cause() -> None:
    assert {page.stem for page in (DOCS / "causes").glob("*.md")} == {cause.CODE for cause in CAUSES}


def test_every_strategy_has_its_page_and_every_page_its_strategy() -> None:
    assert {page.stem for page in (DOCS / "strategies").glob("*.md")} == {strategy.NAME for strategy in STRATEGIES}


def test_the_index_has_the_causes_in_the_order_in_which_they_are_given() -> None:
    listed = re.findall(r"^\| \[[\w-]+\]\(causes/([\w-]+)\.md\)", (DOCS / "README.md").read_text(), re.MULTILINE)
    assert listed == [cause.CODE for cause in CAUSES]


def test_the_page_of_a_cause_names_every_scenario_that_leads_to_it() -> None:
    for scenario in scenarios.every():
        page = (DOCS / "causes" / f"{scenario.expects.cause}.md").read_text()
        assert f"replfix lab break {scenario.name}" in page


def test_every_json_document_is_listed() -> None:
    text = (DOCS / "commands" / "schema.md").read_text()
    assert [name for name in all_schemas() if f"`{name}`" not in text] == []


def test_the_page_of_privileges_lists_what_the_code_checks() -> None:
    page = (DOCS / "privileges.md").read_text().replace("`", "")
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    for need in privileges.NEEDS:
        assert any(need.action in row and need.names[0] in row for row in rows), need


def test_the_page_of_privileges_lists_what_mariadb_needs() -> None:
    text = (DOCS / "privileges.md").read_text()
    rows = [line for line in text.replace("`", "").partition("## On MariaDB")[2].splitlines() if line.startswith("| ")]
    for need in privileges.NEEDS_OF_MARIADB:
        assert any(need.role in row and need.action in row and need.names[0] in row for row in rows), need
    (script,) = re.findall(r"^```mariadb\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    statements = (re.sub(r"\s+", " ", s).strip() for s in script.split(";"))
    granted = privileges.parse_grants("replfix@%", statements, privileges.NEEDS_OF_MARIADB)
    assert not [need for role in privileges.Role for need in privileges.missing(granted, role)]


def test_the_script_grants_every_privilege() -> None:
    scripts = re.findall(r"^```sql\n(.*?)^```$", (DOCS / "privileges.md").read_text(), re.DOTALL | re.MULTILINE)
    one_account, source, replica = (
        privileges.parse_grants("replfix@%", (re.sub(r"\s+", " ", s).strip() for s in script.split(";")))
        for script in scripts
    )
    for granted, role in (
        (one_account, privileges.Role.REPLICA),
        (one_account, privileges.Role.SOURCE),
        (source, privileges.Role.SOURCE),
        (replica, privileges.Role.REPLICA),
    ):
        assert privileges.missing(granted, role) == ()


def test_the_readme_has_the_script_of_the_page_of_privileges() -> None:
    (readme,) = re.findall(r"^ *```sql\n(.*?)^ *```$", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    script, *_ = re.findall(r"^```sql\n(.*?)^```$", (DOCS / "privileges.md").read_text(), re.DOTALL | re.MULTILINE)
    assert readme.split() == script.split()


def test_the_readme_lists_every_command() -> None:
    listed = re.findall(r"^\| \[`([\w-]+)`\]\(docs/commands/\1\.md\)", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(COMMANDS)


def slug(heading: str) -> str:
    """The anchor that a heading gets where Markdown is shown."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def links(page: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", prose(page.read_text()))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name_of(page)}: {link}"
        if anchor:
            # A heading may be code: only fences are left out.
            text = re.sub(r"^```.*?^```$", "", target.read_text(), flags=re.DOTALL | re.MULTILINE)
            assert anchor in {slug(h) for h in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}, f"{name_of(page)}: {link}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    to_see = [ROOT / "README.md"]
    while to_see:
        page = to_see.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        to_see += [(page.parent / link.partition("#")[0]).resolve() for link in links(page) if ":" not in link]
    assert [name_of(page) for page in DOCS.rglob("*.md") if page not in seen] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_module_that_is_named_exists(page: Path) -> None:
    named = re.findall(
        r"`(?:replfix/)?((?:core|mysql|workflow|present|cli|tui|audit|lab|config)/[\w/]+\.py)`", page.read_text()
    )
    assert [name for name in named if "my_" not in name and not (ROOT / "replfix" / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_test_that_is_named_exists(page: Path) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)`", page.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_promise_names_the_tests_that_show_it() -> None:
    page = (DOCS / "safety.md").read_text()
    promises = [slug(heading) for heading in re.findall(r"^### (\d+\. .*)$", page, re.MULTILINE)]
    shown = re.findall(r"^\| \[\d+\]\(#([\w-]+)\) \| `tests/", page, re.MULTILINE)
    assert promises
    assert shown == promises


def test_what_works_where_is_said_for_each_server() -> None:
    """No row is left without a word for one of them."""
    table = (DOCS / "servers.md").read_text().partition("## What works where")[2].partition("### Other servers")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("| ")
    ]
    header, *rest = rows
    assert header[1:] == ["MySQL 9.7", "MariaDB 10.11", "MariaDB 11.8"]
    said = [row for row in rest if not row[0].startswith("**")]
    assert said
    assert [row for row in said if len(row) != 4 or not all(row)] == []


def test_no_message_names_a_file_that_an_installation_does_not_have() -> None:
    """``help_on`` names the command that shows the page."""
    named: set[str] = set()
    for path in (ROOT / "replfix").rglob("*.py"):
        named |= {topic or "" for topic in re.findall(r"help_on\(f?\\?['\"]([\w/-]+)", path.read_text())}
        if path.name != "topics.py":
            strings = re.sub(r'""".*?"""|#.*', "", path.read_text(), flags=re.DOTALL)
            assert not re.search(r"docs/[\w/-]+\.md", strings), path
    assert named
    assert {topic for topic in named if not topic.endswith("/")} <= {t.name for t in topics()}


LATER = {"forecast", "compare", "watch", "advise", "policy", "config"} - set(COMMANDS)
"""Commands that are meant to come: nobody may be sent to them."""


def test_no_message_sends_anybody_to_a_command_that_is_not_there() -> None:
    sent = {
        f"{path.relative_to(ROOT)}: {found}"
        for path in (ROOT / "replfix").rglob("*.py")
        for found in re.findall(r"replfix (\w+)\b", path.read_text())
        if found in LATER
    }
    assert sent == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_function_that_is_named_after_its_module_exists(page: Path) -> None:
    """As in ``core/connection/privileges.py`` (``SIGHT``)."""
    for path, names in re.findall(r"`(?:replfix/)?(\w+/[\w/]+\.py)` \(((?:`\w+`(?:, )?)+)\)", page.read_text()):
        code = (ROOT / "replfix" / path).read_text()
        for name in re.findall(r"\w+", names):
            assert re.search(rf"^\s*(?:def |class )?{name}\b", code, re.MULTILINE), f"{name_of(page)}: {path} {name}"


def test_the_page_of_explain_lists_every_reason() -> None:
    page = (DOCS / "commands" / "explain.md").read_text()
    assert [reason.CODE for reason in REASONS if f"| `{reason.CODE}` |" not in page] == []


def test_the_page_of_advise_lists_every_finding() -> None:
    page = (DOCS / "commands" / "advise.md").read_text()
    listed = re.findall(r"^\| `([\w-]+)` \| (?:critical|warning|info)", page, re.MULTILINE)
    assert sorted(listed) == sorted(finding.CODE for finding in FINDINGS)


def test_the_page_of_stages_has_those_of_the_executor() -> None:
    listed = re.findall(
        r"^\| ([\d–]+) \| ([\d–]+) \| (.+) \| (.+) \| (.+) \|$",
        (DOCS / "reference" / "stages.md").read_text(),
        re.MULTILINE,
    )

    def number(order: tuple[Stage, ...], stage: Stage) -> str:
        return str(order.index(stage) + 1) if stage in order else "–"

    assert listed == [
        (number(REPAIR, stage), number(UNDO, stage), stage.value, *ended) for stage, ended in ENDED.items()
    ]
    assert {*REPAIR, *UNDO} == ENDED.keys() == set(Stage)
