"""Errors over time, in words and as a row of bars."""

from __future__ import annotations

from replfix.core.explain.log.rate import Rate
from replfix.core.words import counted
from replfix.present.safe_text import visible

MINUTE = 60
WIDTH = 60
BARS = "▁▂▃▄▅▆▇█"
PLAIN_BARS = "_.:-=+*#"
"""For terminals and files that have no block characters."""


def rate_sentences(rate: Rate, followed_quiet: int | None = None) -> tuple[str, ...]:
    """Return how long the errors took, how many a minute they were, and whether they go on.

    ``followed_quiet``: of a log that was followed, the seconds without an error before the end.
    """
    sentences = []
    if rate.timed > 1:
        sentences.append(
            f"{rate.timed:,} errors with a time, in {_span(rate.seconds)}: {_number(rate.per_minute)} a minute on average, "
            f"{_number(rate.most_per_minute)} at most."
        )
    if followed_quiet == 0:
        sentences.append("They go on: the last one was written a moment ago.")
    elif followed_quiet is not None:
        sentences.append(f"No error was written in the last {_span(followed_quiet)}.")
    elif rate.goes_on:
        sentences.append("They go on up to the end of the log.")
    elif rate.quiet is not None:
        sentences.append(f"The last one is {_span(rate.quiet)} before the end of the log.")
    return tuple(sentences)


def rate_chart(rate: Rate, *, blocks: bool = True) -> str | None:
    """Return a row of bars over time with its first and last time; None where there is no more than one bar."""
    counts = [bucket.count for bucket in rate.buckets]
    if len(counts) < 2:
        return None
    together = -(-len(counts) // WIDTH)
    sums = [sum(counts[at : at + together]) for at in range(0, len(counts), together)]
    levels = BARS if blocks else PLAIN_BARS
    top = max(sums)
    # A span with one error is not a span without any.
    bars = "".join(" " if not value else levels[max(0, -(-value * len(levels) // top) - 1)] for value in sums)
    return f"{rate.buckets[0].at} {bars} {rate.buckets[-1].at}  ({_span(rate.width * together)} each)"


NAMED = 4


def new_errors(at: str, before: dict[str, int], counts: dict[str, int], rate: Rate | None) -> str:
    """Return one line about the errors since the last one: ``at`` is the time, the rest is by the name of the key."""
    new = {key: count - before.get(key, 0) for key, count in counts.items() if count > before.get(key, 0)}
    named = sorted(new, key=lambda key: -new[key])[:NAMED]
    more = f", {counted(len(new) - NAMED, 'more key')}" if len(new) > NAMED else ""
    listed = ", ".join(f"{visible(key, keep_newlines=False)} +{new[key]:,}" for key in named)
    latest = rate.buckets[-1] if rate is not None and rate.width == MINUTE else None
    minute = f", {latest.count:,} in the minute from {latest.at}" if latest is not None else ""
    return f"{at}  {listed}{more}; {sum(counts.values()):,} in all{minute}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def _span(seconds: int) -> str:
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * size or seconds == size:
            number = _number(round(seconds / size, 1))
            return f"{number} {unit}" if number == "1" else f"{number} {unit}s"
    return f"{seconds} second" if seconds == 1 else f"{seconds} seconds"
