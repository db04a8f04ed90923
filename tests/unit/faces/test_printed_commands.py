"""A command that is printed can be pasted: it has the replica and the account that the user named, and no password."""

from __future__ import annotations

import shlex

import pytest

from replfix.cli.app import cli
from replfix.cli.printed_commands import page_with_what_was_named, with_what_was_named
from replfix.present.page.page_model import Message, Page, Point, Section, Symbol, name, plain, words

SKIP = "'replfix resolve --strategy skip --dry-run' shows what would be lost."
URL = "mysql://dba@10.0.0.2:3306"


def typed(line: str, text: str) -> str:
    """The text as it is printed by that command line."""
    words_ = shlex.split(line)
    root = cli.make_context("replfix", [words_[0]])
    command = cli.get_command(root, words_[0])
    assert command is not None
    with root, command.make_context(words_[0], words_[1:], parent=root):
        return with_what_was_named(text)


@pytest.mark.parametrize(
    ("line", "text", "printed"),
    [
        ("diagnose", SKIP, SKIP),
        ("diagnose db2", SKIP, "'replfix resolve db2 --strategy skip --dry-run' shows what would be lost."),
        (
            f"diagnose --replica {URL} --channel a",
            SKIP,
            f"'replfix resolve --strategy skip --dry-run --replica {URL} --channel a' shows what would be lost.",
        ),
        (
            "diagnose --replica mysql://dba:secret@10.0.0.2:3306 --source mysql://dba:s:3@10.0.0.1",
            "'replfix errant'",
            f"'replfix errant --replica {URL} --source mysql://dba@10.0.0.1'",
        ),
        ("resolve -h 10.0.0.2 -u dba -p", "'replfix diagnose'", "'replfix diagnose -h 10.0.0.2 -u dba -p'"),
        ("resolve db2 --config a.toml", "'replfix undo 3f2a'.", "'replfix undo 3f2a --config a.toml'."),
        (f"resolve --replica {URL}", "'replfix undo 3f2a'", f"'replfix undo 3f2a --replica {URL}'"),
        (
            "resolve db2 --login-path a",
            "'replfix audit show 3f2a', 'replfix status'",
            "'replfix audit show 3f2a', 'replfix status db2 --login-path a'",
        ),
        ("resolve db2 --config a.toml", "'replfix audit list'", "'replfix audit list --config a.toml'"),
        ("status db2 db3 --config a.toml", "'replfix diagnose'", "'replfix diagnose --config a.toml'"),
        ("diagnose 'my db'", "'replfix errant'", "'replfix errant \"my db\"'"),
        ("diagnose db2", "'replfix diagnose db3'; 'replfix nothing'", "'replfix diagnose db3'; 'replfix nothing'"),
        ("diagnose db2", "'replfix help errors'; replfix errant", "'replfix help errors'; replfix errant"),
        ("diagnose db2", f"'replfix errant --replica {URL}'", f"'replfix errant --replica {URL}'"),
    ],
)
def test_what_the_user_named_is_repeated(line: str, text: str, printed: str) -> None:
    assert typed(line, text) == printed


def test_outside_of_a_command_nothing_is_changed() -> None:
    assert with_what_was_named(SKIP) == SKIP


def test_what_servers_say_is_left_alone() -> None:
    said = words("'replfix errant' and ", name("'replfix errant'"))
    page = Page((Section((), (Point(Symbol.NEXT, said), Message("'replfix errant'"))),))
    root = cli.make_context("replfix", ["diagnose"])
    command = cli.get_command(root, "diagnose")
    assert command is not None
    with root, command.make_context("diagnose", ["db2"], parent=root):
        point, message = page_with_what_was_named(page).sections[0].blocks
    assert isinstance(point, Point)
    assert plain(point.words) == "'replfix errant db2' and 'replfix errant'"
    assert message == Message("'replfix errant'")
