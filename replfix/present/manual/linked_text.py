"""A page's Markdown without what only a browser follows: links become the topics that ``replfix help`` shows."""

from __future__ import annotations

import posixpath
import re

from replfix.present.manual.topics import INDEX, Topic, topics

_COMMENT = re.compile(r"^<!--.*?-->\n?", re.DOTALL | re.MULTILINE)
_PICTURE = re.compile(r"!\[([^\]]*)\]\([^)\s]+\)")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)", re.DOTALL)
_FENCE = re.compile(r"^( *```.*?^ *```$)", re.DOTALL | re.MULTILINE)


def without_links(topic: Topic) -> tuple[str, tuple[str, ...]]:
    """Return the page's text, and the topics that it links to, in their order."""
    known = {other.path: other for other in topics()}
    linked: dict[str, None] = {}

    def plain(link: re.Match[str]) -> str:
        text, target = link[1], link[2]
        if re.match(r"[a-z]+:", target):
            return f"{text} ({target})"
        path = posixpath.normpath(posixpath.join(topic.shelf, target.partition("#")[0])).removesuffix(".md")
        other = known.get(path)
        if other is not None and other != topic:
            linked[_shortest(other)] = None
        return text.removesuffix(".md") if path.rpartition("/")[2] != INDEX else text

    parts = _FENCE.split(_COMMENT.sub("", topic.markdown))
    text = "".join(
        part if number % 2 else _LINK.sub(plain, _PICTURE.sub(r"\1", part)) for number, part in enumerate(parts)
    )
    return text, tuple(linked)


def _shortest(topic: Topic) -> str:
    """Return the name that leads to this page, its path where the name leads to another one."""
    first = next(other for other in topics() if other.name == topic.name)
    return topic.name if first == topic else topic.path
