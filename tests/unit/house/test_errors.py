"""The error classes."""

from __future__ import annotations

import pytest

from replfix import errors
from replfix.errors import NotDone, ReplfixError, Stale


def test_message_and_hint() -> None:
    error = Stale("It changed.", "Look again.")
    assert (str(error), error.message, error.hint, error.exit_code) == ("It changed.", "It changed.", "Look again.", 4)
    assert isinstance(error, NotDone)
    assert ReplfixError("x").hint == ""


@pytest.mark.parametrize("name", [n for n, e in vars(errors).items() if isinstance(e, type)])
def test_every_error_is_one_of_ours(name: str) -> None:
    assert issubclass(getattr(errors, name), ReplfixError)
