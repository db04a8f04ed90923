"""Every benchmark with a peer, in one run: ``make bench``.

    python -m benchmarks [PART…] [--quick]

Prints a table for each part. With ``BENCH_WRITE=1`` they also replace those of docs/performance.md. ``--quick`` takes a
twentieth of the sizes and one run in place of five: to see that it works, not to be quoted.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import large_transaction, many_conflicts, one_transaction, round_trips, scan, start_up
from benchmarks.harness import ROUNDS, Part

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"


def parts(quick: bool) -> dict[str, Callable[[], Part]]:
    """Return what to run, by the name of its place on the page, in its order."""
    smaller, rounds = (20, 1) if quick else (1, ROUNDS)
    return {
        "scan": lambda: scan.measure(1_000_000 // smaller, 200_000 // smaller, rounds),
        "one-transaction": lambda: one_transaction.measure(1000 // smaller, rounds),
        "many-conflicts": lambda: many_conflicts.measure((50, 2000 // smaller, 20_000 // smaller), 300 / smaller),
        "large-transaction": lambda: large_transaction.measure(100_000 // smaller, "insert", rounds),
        "latency": lambda: round_trips.measure(20),
        "start-up": lambda: start_up.measure(rounds),
    }


def replaced(page: str, part: Part) -> str:
    """Return the page with the part's table in its place."""
    when = f"Measured {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} processors, Python {platform.python_version()}."
    begin, end = f"<!-- {part.name} -->", f"<!-- end of {part.name} -->"
    found = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.S)
    assert found.search(page), f"{PAGE} has no place for {part.name}"
    return found.sub(lambda _: f"{begin}\n{when} {part.markdown()}{end}", page)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    known = parts(options.quick)
    for name in options.parts or known:
        part = known[name]()
        print(f"{part.name}: {part.markdown()}", flush=True)
        if os.environ.get("BENCH_WRITE") == "1":
            PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), part), encoding="utf-8")


if __name__ == "__main__":
    main()
