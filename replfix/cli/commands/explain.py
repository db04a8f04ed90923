"""``replfix explain``."""

from __future__ import annotations

import gzip
import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, cast

import click

from replfix.cli.options import ReplicaSelector, common_options, configured_names
from replfix.cli.output import emit, page
from replfix.errors import UsageError

if TYPE_CHECKING:
    from replfix.workflow.explain.explanations import Asking
    from replfix.workflow.explain.log_file import Read

MOST_READ = 8 * 1024 * 1024


@click.command(
    "explain",
    epilog="""\b
Examples:
  replfix explain "ERROR 1062 (23000): Duplicate entry '7' for key 'orders.PRIMARY'"
  replfix explain - --replica mysql://dba@10.0.0.2 < stacktrace.txt
  replfix explain "Duplicate entry '3-9' for key 'PRIMARY'" db2 --table shop.cart_lines
  replfix explain --file /var/log/app/production.log.1.gz
  kubectl logs deploy/shop | replfix explain --file - db2
\b
Exit codes: 0 explained · 2 no duplicate-key error recognised · 6 cannot connect, or a privilege is missing""",
)
@click.argument("text", metavar="TEXT|-", required=False)
@click.argument("name", required=False, shell_complete=configured_names)
@click.option(
    "--replica",
    "replica_url",
    metavar="URL",
    help="The server to ask, any: mysql://user@host:port, or postgresql://user@host:port/database.",
)
@click.option(
    "--table", metavar="[SCHEMA.]TABLE", help="The table that the error is about, where the text leaves it open."
)
@click.option("--file", "log", metavar="LOG", type=click.Path(), help="Count the errors of a log (gz too; - is stdin).")
@common_options
def command(
    text: str | None,
    name: str | None,
    replica_url: str | None,
    table: str | None,
    log: str | None,
    config_path: str | None,
    as_json: bool,
    verbose: bool,  # noqa: ARG001
) -> int:
    """Say what a duplicate-key error means: which key, which row, why, and what to do. Reads only.

    TEXT is the error as any client, framework or log prints it; - reads it from stdin. It is never trusted or run. With a
    server (NAME, or --replica; it need not be a replica) the key and the row that is there are looked up.
    """
    if log is not None:
        if name is not None:
            raise UsageError(
                "Both a text and --file were given.", "Give one of them; the NAME of a server follows --file LOG."
            )
        return _count(log, ReplicaSelector(text, replica_url, None, None), table, config_path, as_json=as_json)
    if text is None:
        raise UsageError("Nothing to explain was given.", "Give the error in quotes, - for stdin, or --file LOG.")
    from replfix.workflow.explain.explanations import explain_text

    with _asking(config_path, ReplicaSelector(name, replica_url, None, None), table) as asking:
        explained = explain_text(_text(text), asking)
    if as_json:
        from replfix.cli.documents.explanation import explanation_document

        emit(explanation_document(explained))
    else:
        from replfix.present.page.explanation_page import explanations_page
        from replfix.present.page.rich_page import page_text

        page(*page_text(explanations_page(explained)))
    return 0


def _count(log: str, meant: ReplicaSelector, table: str | None, config_path: str | None, *, as_json: bool) -> int:
    from replfix.workflow.explain.explanations import explain_log

    with _open(log) as (stream, progress), _asking(config_path, meant, table) as asking:
        counted = explain_log(stream, asking, progress)
    if as_json:
        from replfix.cli.documents.explanation import explanation_document

        emit(explanation_document(counted.explanations, counted))
    else:
        from replfix.cli.explanation_text import counted_text

        page(counted_text(counted))
    return 0


GZIP = b"\x1f\x8b"
TOLD_EVERY = 0.5  # seconds


@contextmanager
def _open(log: str) -> Iterator[tuple[io.BufferedIOBase, Callable[[Read], None]]]:
    """Open the log, unpacked where it is packed; yield it and what reports how far it has been read.

    UsageError when it cannot be read.
    """
    try:
        with open(log, "rb") if log != "-" else nullcontext(sys.stdin.buffer) as raw:
            size = os.fstat(raw.fileno()).st_size if log != "-" else 0
            buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(cast("io.RawIOBase", raw))
            packed = buffered.peek(2)[:2] == GZIP
            stream: io.BufferedIOBase = gzip.GzipFile(fileobj=buffered) if packed else buffered
            yield stream, _progress(lambda: raw.tell() if size else 0, size)
    except OSError as error:
        raise UsageError(
            f"Cannot read {log}: {error.strerror or error}.", "Give a file that this user can read."
        ) from None
    finally:
        if sys.stderr.isatty():
            click.echo("\r\x1b[K", nl=False, err=True)


def _progress(position: Callable[[], int], size: int) -> Callable[[Read], None]:
    """Show one line on a terminal, nothing elsewhere."""
    told = time.monotonic()

    def tell(read: Read) -> None:
        nonlocal told
        if not sys.stderr.isatty() or time.monotonic() - told < TOLD_EVERY:
            return
        told = time.monotonic()
        share = f"{position() * 100 // size:3d} %, " if size else ""
        click.echo(f"\r{share}{read.bytes // 1_000_000:,} MB read", nl=False, err=True)

    return tell


def _text(argument: str) -> str:
    """Return the argument, or with ``-`` the text on stdin; bytes that are no UTF-8 are replaced."""
    if argument != "-":
        return argument.encode("utf-8", "replace").decode()
    return sys.stdin.buffer.read(MOST_READ).decode("utf-8", "replace")


@contextmanager
def _asking(config_path: str | None, meant: ReplicaSelector, table: str | None) -> Iterator[Asking]:
    """Yield the server to ask: only one that was named, for an error need not come from the one that is configured."""
    from replfix.workflow.explain.explanations import NOBODY

    if not meant.one:
        yield NOBODY.about(table)
        return
    from replfix.cli.open_servers import open_inquiry
    from replfix.config import load

    with open_inquiry(load(config_path), meant) as asking:
        yield asking.about(table)
