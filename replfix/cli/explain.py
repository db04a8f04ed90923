"""``replfix explain``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from replfix.cli.options import Meant, common_options, configured_names
from replfix.cli.output import emit, page

if TYPE_CHECKING:
    from replfix.workflow.explain import Asking

MOST_READ = 8 * 1024 * 1024


@click.command(
    "explain",
    epilog="""\b
Examples:
  replfix explain "ERROR 1062 (23000): Duplicate entry '7' for key 'orders.PRIMARY'"
  replfix explain - --replica mysql://dba@10.0.0.2 < stacktrace.txt
  replfix explain "Duplicate entry '3-9' for key 'PRIMARY'" db2 --table shop.cart_lines
\b
Exit codes: 0 explained · 2 no duplicate-key error recognised · 6 cannot connect""",
)
@click.argument("text", metavar="TEXT|-")
@click.argument("name", required=False, shell_complete=configured_names)
@click.option(
    "--replica", "replica_url", metavar="URL", help="The server to ask, any: mysql://user:password@host:port."
)
@click.option(
    "--table", metavar="[SCHEMA.]TABLE", help="The table that the error is about, where the text leaves it open."
)
@common_options
def command(
    text: str,
    name: str | None,
    replica_url: str | None,
    table: str | None,
    config_path: str | None,
    as_json: bool,
    verbose: bool,  # noqa: ARG001
) -> int:
    """Say what a duplicate-key error means: which key, which row, why, and what to do. Reads only.

    TEXT is the error as any client, framework or log prints it; - reads it from stdin. It is never trusted or run. With a
    server (NAME, or --replica; it need not be a replica) the key and the row that is there are looked up.
    """
    from replfix.workflow.explain import explain_text

    said = _text(text)
    with _asking(config_path, Meant(name, replica_url, None, None), table) as asking:
        explained = explain_text(said, asking)
    if as_json:
        from replfix.cli.documents.explanation import explanation_document

        emit(explanation_document(explained))
    else:
        from replfix.cli.explanation_text import explanations_text

        page(explanations_text(explained))
    return 0


def _text(argument: str) -> str:
    """The argument, or with ``-`` what stdin holds; bytes that are no UTF-8 are replaced."""
    if argument != "-":
        return argument.encode("utf-8", "replace").decode()
    return sys.stdin.buffer.read(MOST_READ).decode("utf-8", "replace")


@contextmanager
def _asking(config_path: str | None, meant: Meant, table: str | None) -> Iterator[Asking | None]:
    """The server to ask: only one that was named, for an error need not come from the one that is configured."""
    if not meant.one:
        yield None
        return
    from replfix.cli.opening import open_target
    from replfix.config import load
    from replfix.workflow.explain import Asking

    schema, _, name = (table or "").rpartition(".")
    with open_target(load(config_path), meant) as wired:
        yield Asking(wired.replica.inquiry(), schema or None, name or None)
