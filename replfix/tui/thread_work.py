"""How work in a thread ends: always reported, whatever happens."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from replfix.core.words import Advance
from replfix.errors import ReplfixError
from replfix.ports import Progress
from replfix.present.progress_text import REWRITTEN, Pace

T = TypeVar("T")

BUG = "This is a bug in replfix"
IN_THE_LOG = "The log pane has it."
CANNOT_BE_CANCELLED = "this cannot be cancelled."
ONE_AT_A_TIME = "Another rehearsal or apply is under way: one at a time."
AFTER_A_BUG = "The audit trail says what was done."
WRITING = "write"  # the group of workers that write: there is never more than one


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


def paced(say: Callable[[str], object], every: float = REWRITTEN, first: float = 0.0) -> Progress:
    """Return what hands each step to ``say``, and how far a long one has come not more often than ``every`` seconds.

    ``first``: seconds before the first time.
    """
    pace = Pace(every, first)

    def progress(step: str | Advance) -> None:
        text = pace.said(step, time.monotonic())
        if text is not None:
            say(text)

    return progress
