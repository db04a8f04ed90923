"""``replfix.help/1``."""

from __future__ import annotations

from typing import Literal

from replfix.cli.documents.base import Document, Part
from replfix.present.manual.topics import Topic


class TopicPart(Part):
    topic: str  # what `replfix help` takes
    title: str


class HelpDocument(Document):
    schema_name: Literal["replfix.help/1"] = "replfix.help/1"
    topics: list[TopicPart]  # all of them, those that have the words, or the one that was asked for
    markdown: str | None  # of the one that was asked for


def help_document(topics: list[Topic], markdown: str | None = None) -> HelpDocument:
    """Return the topics, with the text of the one that was asked for."""
    return HelpDocument(topics=[TopicPart(topic=t.path, title=t.title) for t in topics], markdown=markdown)
