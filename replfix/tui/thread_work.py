"""How work in a thread ends: always reported, whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from replfix.errors import ReplfixError

T = TypeVar("T")

BUG = "This is a bug in replfix"
IN_THE_LOG = "The log pane has it."


def run_and_report(
    job: Callable[[], T], end: Callable[[T | None, ReplfixError | None], object], after_a_bug: str
) -> None:
    """Do ``job``; ``end`` gets what it gave, or the error.

    A bug is reported as an error, with ``after_a_bug`` as what next, and raised: the app shows it.
    """
    try:
        done = job()
    except ReplfixError as error:
        end(None, error)
    except BaseException as bug:
        end(None, ReplfixError(f"{BUG}: {type(bug).__name__}: {bug}", after_a_bug))
        raise
    else:
        end(done, None)
