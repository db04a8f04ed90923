"""Option files are read as the MySQL clients read them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replfix.config import option_file
from replfix.config.option_file import OptionFile, read_option_file
from replfix.errors import ConfigError


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def password(tmp_path: Path, text: str) -> str | None:
    secret = read_option_file(write(tmp_path / "my.cnf", text)).password
    return None if secret is None else secret.reveal()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("password=plain", "plain"),
        ("  password  =  spaced out  ", "spaced out"),
        ("password=a#b", "a"),
        ("password = secret # of the staging server", "secret"),
        ('password="a#b"', "a#b"),
        ("password='a#b' # why", "a#b"),
        ('password="it\'s"', "it's"),
        (r'password="say \"hi\""', 'say "hi"'),
        (r'password="\"#\""', '"#"'),
        (r"password=\s\t\n\\x", " \t\n\\x"),
        (r"password=a\qb", r"a\qb"),
        ("password=a;b", "a;b"),
        ("password=a=b", "a=b"),
        ('password="open', '"open'),
        ('password="', '"'),
        ('password=""', ""),
        ("password=", ""),
        ("password", None),
        ("password=grün", "grün"),
        ("loose-password=x", "x"),
        ("# password=x", None),
        ("; password=x", None),
        ("password=one\npassword=two", "two"),
        ("password=one\npassword", None),
        ("password=x\r", "x"),
        ("Password=x", None),
    ],
)
def test_a_value(tmp_path: Path, line: str, expected: str | None) -> None:
    assert password(tmp_path, f"[client]\n{line}\n") == expected


def test_only_the_client_group_counts(tmp_path: Path) -> None:
    text = "[mysqld]\npassword=d\n[ client ]\nuser=u\npassword=c\nport\n[mysql]\npassword=m\n[clients]\npassword=x\n"
    read = read_option_file(write(tmp_path / "my.cnf", text))
    assert (read.user, read.password and read.password.reveal()) == ("u", "c")


def test_an_empty_file(tmp_path: Path) -> None:
    assert read_option_file(write(tmp_path / "my.cnf", "")) == OptionFile()


def test_files_are_included_where_they_are_named(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    write(tmp_path / "more/b.cnf", "[client]\npassword=b\n")
    write(tmp_path / "more/a.cnf", "[client]\nuser=a\npassword=a\n")
    write(tmp_path / "more/c.txt", "[client]\npassword=c\n")
    assert password(tmp_path, "[client]\npassword=x\n!includedir more\n") == "b"
    assert password(tmp_path, f"!include {tmp_path}/more/a.cnf\n[client]\npassword=x\n") == "x"
    assert password(tmp_path, "[mysqld]\n!include\tmore/a.cnf\npassword=x\n") == "a"


def test_an_include_that_is_missing_or_endless_is_a_warning(tmp_path: Path) -> None:
    read = read_option_file(write(tmp_path / "my.cnf", "!include none.cnf\n!includedir none.d\n[client]\nuser=u\n"))
    assert read.user == "u"
    assert len(read.warnings) == 2
    read = read_option_file(write(tmp_path / "my.cnf", "!include my.cnf\n[client]\nuser=u\n"))
    assert read.user == "u"
    assert "deep" in read.warnings[0]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("password=hunter2", "line 1: an option outside"),
        ("[client\npassword=hunter2", "line 1: a group"),
        ("\n!inclode hunter2", "line 2: neither"),
        ("!include", "line 1: neither"),
    ],
)
def test_a_malformed_file_is_refused_by_line(tmp_path: Path, text: str, match: str) -> None:
    with pytest.raises(ConfigError, match=match) as error:
        password(tmp_path, text)
    assert error.value.hint
    assert "hunter2" not in error.value.message + error.value.hint


def test_a_file_that_anybody_may_write_is_ignored_as_mysql_does(tmp_path: Path) -> None:
    read = read_option_file(write(tmp_path / "my.cnf", "[client]\nuser=evil\n", 0o666))
    assert read.user is None
    assert "is ignored. It can be written to by others (mode 0666). Run: chmod go-w " in read.warnings[0]


def test_only_a_password_that_anybody_may_read_is_warned_about(tmp_path: Path) -> None:
    assert read_option_file(write(tmp_path / "my.cnf", "[client]\nuser=u\n", 0o644)).warnings == ()
    assert read_option_file(write(tmp_path / "my.cnf", "[client]\npassword=p\n", 0o640)).warnings == ()
    (warning,) = read_option_file(write(tmp_path / "my.cnf", "[client]\npassword=p\n", 0o644)).warnings
    assert "anybody may read" in warning


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\t\r\b"), max_size=20))
def test_any_password_can_be_written_in_quotes(text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    assert option_file._option(f'password = "{escaped}"  # comment') == ("password", text)
