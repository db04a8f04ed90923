"""Remedies as people read them, for every face."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.remedies.remedy import REPLICA, SHELL, SOURCE, Remedy
from replfix.present.page.page_model import Block, Point, Script, Sentence, Symbol, muted, words


@dataclass(frozen=True, slots=True)
class RemedyText:
    """Parts of a remedy in words; all but ``text`` are empty where there is nothing to run."""

    text: str
    where: str
    sql: tuple[str, ...]
    loses: str
    leads_to: str


def remedy_texts(diagnosis: Diagnosis) -> Iterator[RemedyText]:
    """Return what a human can do about an incident. Nothing where a strategy answers it."""
    channel = diagnosis.evidence.channel
    return in_words(diagnosis.advice, f"{channel.source_host}:{channel.source_port}")


def in_words(remedies: Iterable[Remedy], source: str) -> Iterator[RemedyText]:
    """Yield the remedies in words; ``source``: its address."""
    servers = {
        REPLICA: "On the replica, in a session of its own:",
        SOURCE: f"On the source ({source}), in a session of its own:",
        SHELL: "In a shell on the replica's machine:",
    }
    for remedy in remedies:
        yield _text(remedy, servers.get(remedy.where, f"On {remedy.where}, in a session of its own:"))


def _text(remedy: Remedy, where: str) -> RemedyText:
    if remedy.leads_to is None:
        return RemedyText(remedy.text, "", (), "", "")
    shell = remedy.where == SHELL
    loses = ", ".join(loss.in_words for loss in remedy.loses)
    return RemedyText(
        remedy.text,
        where,
        remedy.sql if shell else tuple(line for statement in remedy.sql for line in for_client(statement)),
        f"Loses {loses}." if loses else "",
        f"Afterwards: {remedy.leads_to.in_words}",
    )


_TEXTS = re.compile(r"'(?:[^'\\]|''|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`", re.DOTALL)


def for_client(statement: str) -> Iterator[str]:
    """Yield a statement as the mysql client takes it.

    One that contains semicolons, such as the body of a routine, ends with another delimiter.
    """
    if ";" not in _TEXTS.sub("", statement):
        yield f"{statement};"
        return
    delimiter = next(each for each in ("//", "$$", "|||||") if each not in statement)
    yield from (f"DELIMITER {delimiter}", f"{statement}\n{delimiter}", "DELIMITER ;")


def remedy_blocks(remedies: Iterable[RemedyText]) -> Iterator[Block]:
    """Yield each remedy with its statements, what it loses and what it leads to."""
    for remedy in remedies:
        yield Point(Symbol.NEXT, words(remedy.text))
        yield from remedy_details(remedy)


def remedy_details(remedy: RemedyText) -> Iterator[Block]:
    """Yield where its statements are run, the statements, what they lose and lead to; nothing without statements."""
    if not remedy.sql:
        return
    yield Sentence(words(muted(remedy.where)), level=1)
    yield Script(remedy.sql, level=2)
    if remedy.loses:
        yield Point(Symbol.WARNING, words(remedy.loses), level=1)
    yield Sentence(words(muted(remedy.leads_to)), level=1)
