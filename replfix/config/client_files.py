"""Which option files are read, in the order of the MySQL clients: a later one comes before an earlier one.

Source: MySQL manual, "Using Option Files" and "Command-Line Options that Affect Option-File Handling"; tried with the
mysql client 9.7.4 (``--print-defaults``).
"""

from __future__ import annotations

import os
from pathlib import Path

from replfix import own_files
from replfix.config.login_file import login_file, read_login_file
from replfix.config.option_file import GROUPS, NO_OPTIONS, OptionFile, parse_options, read_option_file
from replfix.core.connection.command_line import CommandLine
from replfix.core.words import suggestion
from replfix.errors import ConfigError

GLOBAL_FILES = ("/etc/my.cnf", "/etc/mysql/my.cnf")
USER_FILE = "~/.my.cnf"
GROUP_SUFFIX = "MYSQL_GROUP_SUFFIX"


def groups(command_line: CommandLine) -> tuple[str, ...]:
    """Return the groups that are read in each file."""
    suffix = command_line.defaults_group_suffix or os.environ.get(GROUP_SUFFIX, "")
    return (*GROUPS, *(f"{group}{suffix}" for group in GROUPS if suffix))


def read_client_files(command_line: CommandLine, login_path: str | None = None) -> OptionFile:
    """Read what the mysql client would read; ConfigError for a file or login path that is named and cannot be used.

    ``--defaults-file`` is read in place of the global files and the user's; the login file always is.
    """
    found = NO_OPTIONS
    wanted = groups(command_line)
    if command_line.defaults_file is not None:
        found = read_named(command_line.defaults_file, "--defaults-file", wanted)
    elif not command_line.no_defaults:
        for name in GLOBAL_FILES:
            found = _read_if_there(Path(name), wanted).over(found)
        if command_line.defaults_extra_file is not None:
            found = read_named(command_line.defaults_extra_file, "--defaults-extra-file", wanted).over(found)
        found = _read_if_there(Path(USER_FILE).expanduser(), wanted).over(found)
    return read_login_path(command_line.login_path or login_path, wanted).over(found)


def read_named(name: str, named_by: str, wanted: tuple[str, ...] = GROUPS, beside: Path | None = None) -> OptionFile:
    """Read a file that has to be there. ConfigError, which says what names it, where it cannot be read."""
    file = (beside or Path()) / Path(name).expanduser()
    try:
        return read_option_file(file, wanted)
    except FileNotFoundError:
        raise ConfigError(f"The option file {file} does not exist.", f"Correct {named_by}, or create it.") from None
    except OSError as error:
        raise ConfigError(
            f"Cannot read the option file {file}: {error.strerror}.", "Make it readable for this user."
        ) from None


def _read_if_there(file: Path, wanted: tuple[str, ...]) -> OptionFile:
    try:
        return read_option_file(file, wanted)
    except (FileNotFoundError, NotADirectoryError):
        return NO_OPTIONS
    except OSError as error:
        return OptionFile(warnings=(f"{file} cannot be read: {error.strerror}.",))


def read_login_path(name: str | None, wanted: tuple[str, ...] = GROUPS) -> OptionFile:
    """Read the login file: the clients' groups, and over them the login path, where one is named.

    Where none is, a file that cannot be used is ignored with a warning; else that is a ConfigError.
    """
    file = login_file()
    try:
        text = read_login_file(file)
    except (FileNotFoundError, NotADirectoryError):
        if name is None:
            return NO_OPTIONS
        raise ConfigError(
            f"There is no login path {name!r}: {file} does not exist.",
            f"Make it with: mysql_config_editor set --login-path={name} --host=HOST --user=USER --password",
        ) from None
    except (own_files.Distrusted, OSError, ValueError) as error:
        why, remedy = _why(error)
        if name is None:
            return OptionFile(warnings=(f"{file} is ignored. {why} {remedy}".strip(),))
        raise ConfigError(f"The login file {file} cannot be used. {why}", remedy) from None
    everybodys = parse_options(file, text, wanted)
    if name is None:
        return everybodys
    if name not in everybodys.groups:
        raise ConfigError(
            f"{file} has no login path {name!r}.",
            suggestion(name, everybodys.groups, "Login paths there") or "mysql_config_editor set adds one.",
        )
    return parse_options(file, text, (name,)).over(everybodys)


def _why(error: Exception) -> tuple[str, str]:
    if isinstance(error, own_files.Distrusted):
        return error.why, error.remedy
    if isinstance(error, OSError):
        return f"{error.strerror or error}.", "Make it readable for this user."
    return f"It was not written by mysql_config_editor: {error}.", ""
