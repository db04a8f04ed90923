"""``replfix explain``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from replfix.cli.client_options import client_options
from replfix.cli.options import ReplicaSelector, common_options, configured_names
from replfix.cli.output import emit, show_page
from replfix.errors import ReplfixError, UsageError

if TYPE_CHECKING:
    from replfix.workflow.explain.explanations import Asking, Counted, LogCount
    from replfix.workflow.explain.log_source import LogSource

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
  replfix explain --file /var/log/app/production.log --follow
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
@click.option(
    "--file", "log", metavar="LOG", type=click.Path(), help="Count the errors of a log (packed ones too; - is stdin)."
)
@click.option("--follow", is_flag=True, help="With --file: go on as the log grows, until Ctrl-C.")
@client_options
@common_options
def command(
    text: str | None,
    name: str | None,
    replica_url: str | None,
    table: str | None,
    log: str | None,
    follow: bool,
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
        meant = ReplicaSelector(text, replica_url, None, None)
        return _count(log, meant, table, config_path, follow=follow, as_json=as_json)
    if follow:
        raise UsageError("--follow was given without a log.", "Give --file LOG; - is stdin.")
    if text is None:
        raise UsageError("Nothing to explain was given.", "Give the error in quotes, - for stdin, or --file LOG.")
    from replfix.workflow.explain.explanations import explain_text

    with _asking(config_path, ReplicaSelector(name, replica_url, None, None), table) as asking:
        explained = explain_text(_text(text), asking)
    if as_json:
        from replfix.cli.documents.explanation import explanation_document

        emit(explanation_document(explained))
    else:
        from replfix.present.page.explain.explanation_page import explanations_page

        show_page(explanations_page(explained))
    return 0


def _count(
    log: str, meant: ReplicaSelector, table: str | None, config_path: str | None, *, follow: bool, as_json: bool
) -> int:
    from replfix.cli.app import INTERRUPTED
    from replfix.workflow.explain.explanations import LogCount

    count = LogCount()
    if follow:
        from replfix.cli.interrupts import end_on_sigterm

        end_on_sigterm()
        with _open(log, follow=True) as (source, _, _):
            count.read(source, (lambda: None) if as_json else _changes(count))
        try:
            with _asking(config_path, meant, table) as asking:
                counted = count.counted(asking, follow=True)
        except ReplfixError:
            _print(count.counted(None, follow=True), as_json=False)  # the server is gone, and nobody follows twice
            raise
        _print(counted, as_json=as_json)
        return 0
    with _open(log, follow=False) as (source, position, size), _asking(config_path, meant, table) as asking:
        finished = count.read(source, _progress(count, position, size))
        counted = count.counted(asking, interrupted=not finished)
    _print(counted, as_json=as_json)
    return 0 if finished else INTERRUPTED


def _print(counted: Counted, *, as_json: bool) -> None:
    if as_json:
        from replfix.cli.documents.explanation import explanation_document

        emit(explanation_document(counted.explanations, counted))
    else:
        from replfix.present.page.explain.surge_page import surge_page

        show_page(surge_page(counted, bars=(sys.stdout.encoding or "").lower().startswith("utf")))


REPORTED_EVERY = 0.5  # seconds
CHANGES_EVERY = 2.0  # seconds


@contextmanager
def _open(log: str, *, follow: bool) -> Iterator[tuple[LogSource, Callable[[], int], int]]:
    """Open the log; yield it, what returns how many bytes of the file were read, and the file's size (0: unknown).

    UsageError when it cannot be read.
    """
    from replfix.workflow.explain.log_source import PACKED, Finished, FollowedFile, FollowedPipe

    try:
        if log == "-":
            stdin = sys.stdin.buffer
            yield (FollowedPipe(stdin.fileno(), _wait) if follow else Finished(stdin)), lambda: 0, 0
        elif follow:
            with open(log, "rb") as raw:
                packed = raw.peek(6).startswith(PACKED)
            if packed:
                raise UsageError(f"{log} is packed: nobody writes to it any more.", "Leave --follow out.")
            yield FollowedFile(log, _wait), lambda: 0, 0
        else:
            with open(log, "rb") as raw:
                yield Finished(raw), raw.tell, os.fstat(raw.fileno()).st_size
    except OSError as error:
        raise UsageError(
            f"Cannot read {log}: {error.strerror or error}.", "Give a file that this user can read."
        ) from None
    finally:
        if sys.stderr.isatty():
            click.echo("\r\x1b[K", nl=False, err=True)


def _wait(seconds: float) -> bool:
    time.sleep(seconds)
    return False


def _progress(count: LogCount, position: Callable[[], int], size: int) -> Callable[[], None]:
    """Show one line on a terminal, nothing elsewhere."""
    last = time.monotonic()

    def tell() -> None:
        nonlocal last
        if not sys.stderr.isatty() or time.monotonic() - last < REPORTED_EVERY:
            return
        last = time.monotonic()
        share = f"{position() * 100 // size:3d} %, " if size else ""
        click.echo(f"\r{share}{count.reader.read.bytes // 1_000_000:,} MB read", nl=False, err=True)

    return tell


def _changes(count: LogCount) -> Callable[[], None]:
    """Print a line about what is new, a key's first error at once and the others every few seconds."""
    from replfix.present.rate_text import new_errors

    before: dict[str, int] = {}
    last = -CHANGES_EVERY

    def tell() -> None:
        nonlocal before, last
        counts = count.counts()
        if counts == before or (counts.keys() == before.keys() and time.monotonic() - last < CHANGES_EVERY):
            return
        click.echo(new_errors(time.strftime("%H:%M:%S"), before, counts, count.rate()))
        sys.stdout.flush()
        before, last = counts, time.monotonic()

    return tell


def _text(argument: str) -> str:
    """Return the argument, or with ``-`` the text on stdin. UsageError for one that is too long."""
    if argument != "-":
        return argument.encode("utf-8", "replace").decode()
    from replfix.core.explain.log.encodings import decoded
    from replfix.workflow.explain.log_source import whole_text

    raw = sys.stdin.buffer.read(MOST_READ + 1)
    if len(raw) > MOST_READ:
        raise UsageError(
            f"The text on stdin is longer than {MOST_READ // 1024 // 1024} MB.",
            "Count the errors of a log of any size with 'replfix explain --file -'.",
        )
    return decoded(whole_text(raw))


@contextmanager
def _asking(config_path: str | None, meant: ReplicaSelector, table: str | None) -> Iterator[Asking]:
    """Yield the server to ask: only one that was named, for an error need not come from the one that is configured."""
    from replfix.config import load
    from replfix.workflow.explain.explanations import NOBODY

    config = load(config_path)
    if not meant.named and not config.names_a_server:
        yield NOBODY.about(table)
        return
    from replfix.cli.open_servers import open_inquiry

    with open_inquiry(config, meant) as asking:
        yield asking.about(table)
