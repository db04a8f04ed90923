"""The options by which the mysql client signs in, with its names, letters and precedence."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import click

from replfix.cli.options import AlsoBefore, both_given
from replfix.core.connection.command_line import current, given
from replfix.core.connection.sign_in import SignIn
from replfix.core.connection.tls import OPTIONS as TLS_OPTIONS
from replfix.core.connection.tls import VERSIONS, TlsMode, tls_of
from replfix.core.words import help_on
from replfix.errors import UsageError

_FILES = ("no_defaults", "defaults_file", "defaults_extra_file", "defaults_group_suffix", "login_path")
_ADDRESS = ("host", "port", "socket", "user")
_SIGN_IN = ("enable_cleartext_plugin", "get_server_public_key", "server_public_key_path")

_HELP = ""
"""What -h without a host stands for: it asks for help, as it does where there is no host to name."""

_TLS_HELP = {
    "ssl-mode": f"{', '.join(TlsMode)}. All that mysql takes, --ssl-ca for one: {help_on('configuration')}.",
    "ssl-ca": "PEM file of the authorities that the server's certificate is checked against.",
    "ssl-capath": "Directory of them.",
    "ssl-cert": "The client's own certificate.",
    "ssl-key": "Its key.",
    "ssl-cipher": "Ciphers of TLSv1.2.",
    "tls-version": f"{' or '.join(VERSIONS)}, or both with a comma.",
}


def client_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add them. ``load`` knows of what is given: no command has to pass it on."""

    @functools.wraps(function)
    def with_client_options(password: bool, **others: Any) -> Any:
        if others["host"] == _HELP:
            context = click.get_current_context()
            click.echo(context.get_help())
            context.exit()
        tls = {name: others.pop(name.replace("-", "_")) for name in TLS_OPTIONS}
        sign_in = {name: others.pop(name) for name in _SIGN_IN}
        rest = {name: others.pop(name) for name in (*_ADDRESS, *_FILES)}
        for file in ("defaults_file", "defaults_extra_file"):
            if rest["no_defaults"] and rest[file]:
                raise both_given("--no-defaults", f"--{file.replace('_', '-')}")
        try:
            encrypted = tls_of({name: value for name, value in tls.items() if value is not None})
        except ValueError as error:
            raise UsageError(f"On the command line, {error}.", f"See {help_on('configuration')}.") from None
        options = replace(current(), ask_password=password, tls=encrypted, sign_in=SignIn(**sign_in), **rest)
        with given(options):
            return function(**others)

    command: Callable[..., Any] = with_client_options
    for decorator in reversed(_options()):
        command = decorator(command)
    return command


def _options() -> list[Callable[..., Any]]:
    option = functools.partial(click.option, cls=AlsoBefore)
    return [
        option("-h", "--host", metavar="HOST", is_flag=False, flag_value=_HELP, help="The server, as mysql takes it."),
        option("-P", "--port", type=click.IntRange(1, 65535), metavar="PORT", help="Its port."),
        option("-S", "--socket", metavar="PATH", help="Its Unix socket."),
        option("-u", "--user", metavar="USER", help="Account, for every server whose URL names none."),
        option("-p", "--password", is_flag=True, help="Ask for the password. It cannot be given here."),
        option("--defaults-file", metavar="FILE", help="Read this option file only (and the login file)."),
        option(
            "--defaults-extra-file", metavar="FILE", help="Read this option file too, before ~/.my.cnf.", hidden=True
        ),
        option("--defaults-group-suffix", metavar="SUFFIX", help="Read [clientSUFFIX] too.", hidden=True),
        option("--no-defaults", is_flag=True, help="Read no option file but the login file.", hidden=True),
        option("--login-path", metavar="NAME", help="Read this login path of ~/.mylogin.cnf."),
        *(
            option(f"--{name}", metavar=_metavar(name), help=_TLS_HELP[name], hidden=name != "ssl-mode")
            for name in TLS_OPTIONS
        ),
        option(
            "--get-server-public-key",
            is_flag=True,
            default=None,
            hidden=True,
            help="Without encryption, accept the server's own key for the password.",
        ),
        option("--server-public-key-path", metavar="FILE", help="The server's public key, for the same.", hidden=True),
        option(
            "--enable-cleartext-plugin",
            is_flag=True,
            default=None,
            hidden=True,
            help="Send the password readable, if the server of -h asks for that and the connection is encrypted.",
        ),
    ]


def _metavar(name: str) -> str:
    return {"ssl-mode": "MODE", "ssl-capath": "DIRECTORY", "ssl-cipher": "LIST", "tls-version": "LIST"}.get(
        name, "FILE"
    )


_PASSWORD = re.compile(r"-p.|--password=")


def refuse_passwords(argv: Sequence[str]) -> None:
    """Raise UsageError for a password in the arguments, without repeating it: everybody on the host can see those."""
    for word in argv:
        if word == "--":
            return
        if _PASSWORD.match(word):
            raise UsageError(
                "A password on the command line is not taken: every user of this host can see it (ps), and the shell keeps it.",
                "-p alone asks for it. Or put it into ~/.my.cnf (mode 0600), a login path (mysql_config_editor), or the "
                "environment as REPLFIX_PASSWORD.",
            )
