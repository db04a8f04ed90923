"""On how many examples a property is tried: a multiple of what the run allows for."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

WHOLE, QUICK = "whole", "quick"
"""Profiles: of ``make test``, and of ``make unit``, which has --hypothesis-profile=quick."""

# How long an example takes is a property of the machine: it has servers to run. pytest-timeout ends what hangs.
settings.register_profile(WHOLE, deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100)
settings.register_profile(QUICK, settings.get_profile(WHOLE), max_examples=20)


def times(factor: float, *, deadline: int | None = None) -> settings:
    """So many times the examples of the profile. ``deadline``: milliseconds for one of them."""
    return settings(max_examples=round(factor * settings().max_examples), deadline=deadline)
