"""``replfix help``: every page can be found and shown, and made into a man page that troff reads without a complaint."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from replfix.cli.app import COMMANDS, run
from replfix.cli.man_pages import man_pages
from replfix.errors import UsageError
from replfix.present.manual.linked_text import without_links
from replfix.present.manual.roff import man_page
from replfix.present.manual.topics import find, topics
from tests.places import DOCS

Output = pytest.CaptureFixture[str]


def test_every_page_is_a_topic() -> None:
    pages = {file.relative_to(DOCS).with_suffix("").as_posix() for file in DOCS.rglob("*.md") if file.stem != "README"}
    assert {topic.path for topic in topics()} == pages
    assert all(find(topic.path) == topic for topic in topics())
    assert {topic.name for topic in topics() if topic.shelf == "commands"} == set(COMMANDS)


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("status", "commands/status"),
        ("skip", "strategies/skip"),
        ("missing-row", "causes/missing-row"),
        ("errors/missing-row", "errors/missing-row"),
        ("1062", "errors/duplicate-key"),
        ("1032", "errors/missing-row"),
        ("docs/Configuration.md", "configuration"),
    ],
)
def test_a_topic_is_found(wanted: str, path: str) -> None:
    assert find(wanted).path == path


@pytest.mark.parametrize(("wanted", "meant"), [("stauts", "status"), ("keep_both", "keep-both")])
def test_a_topic_that_is_nearly_right_gets_the_right_one(wanted: str, meant: str) -> None:
    with pytest.raises(UsageError) as error:
        find(wanted)
    assert f"Did you mean {meant!r}?" in error.value.hint


def test_links_become_topics() -> None:
    text, linked = without_links(find("status"))
    assert "configuration" in linked
    assert "](" not in re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    assert "<!--" not in text
    assert set(linked) <= {name for topic in topics() for name in (topic.name, topic.path)}


def test_every_page_can_be_shown(capsys: Output) -> None:
    for topic in topics()[::9]:
        assert run(["help", topic.path]) == 0
        shown = capsys.readouterr().out
        assert topic.title in shown
        assert max(map(len, shown.splitlines())) <= 100
    assert run(["help"]) == 0
    assert "replfix help TOPIC" in capsys.readouterr().out


def test_the_documents(capsys: Output) -> None:
    assert run(["help", "1062", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["topics"] == [{"topic": "errors/duplicate-key", "title": "duplicate-key"}]
    assert shown["markdown"].startswith("# duplicate-key")
    assert run(["help", "--list", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["topics"]) == len(topics())
    assert run(["help", "--search", "super_read_only MariaDB", "--json"]) == 0
    assert "reference/mariadb" in [t["topic"] for t in json.loads(capsys.readouterr().out)["topics"]]
    assert run(["help", "--search", "xyzzy"]) == 2


def test_man_pages(tmp_path: Path) -> None:
    assert run(["help", "--man", str(tmp_path)]) == 0
    written = {file.name for file in tmp_path.rglob("replfix*")}
    assert {"replfix.1", "replfix-configuration.7", *(f"replfix-{name}.1" for name in COMMANDS)} <= written
    assert "--dry\\-run" in (tmp_path / "man1" / "replfix-resolve.1").read_text().replace("\\-\\-", "--")


def test_a_man_page_has_nothing_that_troff_would_obey() -> None:
    text = "# t\n\n.so /etc/passwd `a-b` **c** \\d ✔\n\n'quoted\n\n```\n.SH not\n\\n\n```\n\n| a | b |\n|---|---|\n| .x | - |\n"
    page = man_page("replfix-t", 7, "s", text, ["replfix(1)"], "1.0")
    assert page.splitlines()[4:] == [
        ".PP", r"\&.so /etc/passwd \fBa\-b\fR \fBc\fR \ed \[u2714]", ".PP", r"\&'quoted",
        ".PP", ".RS 4", ".nf", r"\&.SH not", r"\en", ".fi", ".RE", ".TP", r"\&.x", r"\-", ".SH SEE ALSO", ".nf", "replfix(1)", ".fi",
    ]  # fmt: skip
    assert all(page.isascii() for _, page in man_pages())


@pytest.mark.skipif(shutil.which("groff") is None, reason="there is no groff here")
def test_troff_takes_them() -> None:
    source = "".join(text for name, text in man_pages() if name in ("replfix.1", "replfix-audit.1", "replfix-tui.7"))
    ran = subprocess.run(["groff", "-man", "-Tascii", "-ww"], input=source, capture_output=True, text=True, check=True)
    assert [
        line for line in ran.stderr.splitlines() if "can't find special character" not in line and "adjust" not in line
    ] == []
