"""The pages of the documentation by their topics: a page's name, or its path where two have the same name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import replfix
from replfix.core.words import nearest
from replfix.errors import UsageError

_SHELVES = ("commands", "", "strategies", "causes", "errors", "reference", "decisions")
"""Folders of docs/, in the order in which a name is looked up."""
INDEX = "README"
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Topic:
    """One page. ``path`` has no suffix and is relative to docs/: ``errors/duplicate-key``."""

    path: str
    file: Path

    @property
    def name(self) -> str:
        """The page's name, without its folder."""
        return self.path.rpartition("/")[2]

    @property
    def shelf(self) -> str:
        """The folder, '' for the top."""
        return self.path.rpartition("/")[0]

    @property
    def markdown(self) -> str:
        """The whole page."""
        return self.file.read_text("utf-8")

    @property
    def title(self) -> str:
        """Its heading, without marks for code."""
        found = _TITLE.search(self.markdown)
        return found[1].replace("`", "") if found else self.name


def directory() -> Path:
    """Return where the pages are: in the package, or in the checkout that it is run from."""
    package = Path(replfix.__file__).parent
    return next(path for path in (package / "docs", package.parent / "docs") if path.is_dir())


@cache
def topics() -> tuple[Topic, ...]:
    """Return all pages but the indexes, folder by folder."""
    root = directory()
    found = (Topic(file.relative_to(root).with_suffix("").as_posix(), file) for file in sorted(root.rglob("*.md")))
    pages = [topic for topic in found if topic.name != INDEX and topic.shelf in _SHELVES]
    return tuple(sorted(pages, key=lambda topic: (_SHELVES.index(topic.shelf), topic.path)))


def find(wanted: str) -> Topic:
    """Return the page of that name, path or error number. UsageError with the likely one."""
    word = wanted.strip().removeprefix("docs/").removesuffix(".md").lower()
    if word.isdecimal() and (page := _of_error(int(word))) is not None:
        word = f"errors/{page}"
    for topic in topics():
        if word in (topic.path, topic.name):
            return topic
    near = nearest(word, (name for topic in topics() for name in (topic.name, topic.path)))
    meant = f"Did you mean {near!r}? " if near else ""
    raise UsageError(
        f"There is no help on {wanted[:60]!r}.",
        f"{meant}'replfix help --list' lists all topics, --search WORD finds some.",
    )


def others_named(topic: Topic) -> list[Topic]:
    """Return other pages of the same name."""
    return [other for other in topics() if other.name == topic.name and other != topic]


def _of_error(number: int) -> str | None:
    from replfix.core.known_errors.families import FAMILIES

    return next((family.FAMILY.page for family in FAMILIES if number in family.FAMILY.errors), None)


@dataclass(frozen=True, slots=True)
class Found:
    """A line of a page in which a word is."""

    topic: Topic
    number: int
    line: str


def search(words: str) -> Iterator[Found]:
    """Yield the first line of each page that has all the words, case aside; pages with the words in their title first."""
    wanted = words.lower().split()
    hits = [
        Found(topic, *next(_lines(topic, wanted), (1, topic.title)))
        for topic in topics()
        if all(word in topic.markdown.lower() for word in wanted)
    ]
    yield from sorted(hits, key=lambda hit: not all(word in hit.topic.title.lower() for word in wanted))


def _lines(topic: Topic, wanted: list[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(topic.markdown.splitlines(), 1):
        if any(word in line.lower() for word in wanted) and not line.startswith(("<!--", "#")):
            yield number, line.strip(" |")
