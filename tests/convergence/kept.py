"""Seeds that have failed once: every test run has them. A seed means what it does for the generator as it is."""

from __future__ import annotations

from pathlib import Path

FILE = Path(__file__).with_name("kept_seeds.txt")


def seeds() -> list[tuple[str, int]]:
    """Server and seed of each line; what is behind ``#`` is for people."""
    lines = (line.partition("#")[0].split() for line in FILE.read_text(encoding="utf-8").splitlines())
    return [(server, int(seed)) for server, seed in filter(None, lines)]


def keep(server: str, seed: int) -> None:
    if (server, seed) not in seeds():
        with FILE.open("a", encoding="utf-8") as file:
            file.write(f"{server} {seed}\n")


def command(server: str, seed: int) -> str:
    return f"python -m tests.convergence --servers {server} --seed {seed} --story"
