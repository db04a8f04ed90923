"""``replfix explain``."""

from __future__ import annotations

import sys

import click

from replfix.cli.options import common_options
from replfix.cli.output import emit, page

MOST_READ = 8 * 1024 * 1024


@click.command(
    "explain",
    epilog="""\b
Examples:
  replfix explain "ERROR 1062 (23000): Duplicate entry '7' for key 'orders.PRIMARY'"
  replfix explain - < stacktrace.txt
\b
Exit codes: 0 explained · 2 no duplicate-key error recognised""",
)
@click.argument("text", metavar="TEXT|-")
@common_options
def command(
    text: str,
    config_path: str | None,  # noqa: ARG001
    as_json: bool,
    verbose: bool,  # noqa: ARG001
) -> int:
    """Say what a duplicate-key error means: which key, which value, why. Reads only.

    TEXT is the error as any client, framework or log prints it; - reads it from stdin. It is never trusted or run.
    """
    from replfix.workflow.explain import explain_text

    explained = explain_text(_text(text), None)
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
