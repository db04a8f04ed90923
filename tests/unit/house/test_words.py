"""One idea has one name: the terms of docs/glossary.md, and the words that are not used for them."""

from __future__ import annotations

import ast
import functools
import re
from collections import Counter
from pathlib import Path

import pytest

from replfix.core.incident.known_error import families
from tests.places import DOCS, ROOT

GLOSSARY = DOCS / "glossary.md"
PACKAGE = ROOT / "replfix"
OTHERS = {"docs/development.md", "docs/glossary.md"}
"""Pages for those who work on replfix, and the page that names the words."""
PAGES = [
    page
    for page in [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
    if str(page.relative_to(ROOT)) not in OTHERS and page.parent.name != "decisions"
]

PRINTED_TABLES = {"docs/reference/restart.md", "docs/reference/stages.md"}
"""Their tables are printed from the package, where their words are counted."""

MODELS = {"stand": 0.9, "tell": 2.6, "say": 4.6, "behind": 2.2, "hold": 2.6}
"""Of 10,000 words: the highest of gh-ost's doc/, orchestrator's docs/, Patroni's docs/ and the manuals of Percona Toolkit's
replication tools, counted as the pages are counted here. Together they have 0.3, 0.7, 1.3, 1.5 and 1.5."""

IN_CODE = {
    "in the way": 12,
    r"/\btak(?:es?|en|ing) out\b/": 3,
    r"/\bcarr(?:y|ies|ied|ying) out\b/": 15,
    r"/\btak(?:es?|en|ing) (?:it|them|this|that|a repair|the repair) back\b/": 7,
    "stand": 3,
    "tell": 8,
    "say": 40,
    "behind": 11,
    "hold": 18,
}
"""How often the strings of the package still have a word that is not used: fewer is better, more is not allowed."""


def rows_of(section: str) -> list[list[str]]:
    table = re.findall(r"^\| (.*) \|$", section, re.MULTILINE)
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row)] for row in table[1:]]


@functools.cache
def sections() -> dict[str, str]:
    return {part.partition("\n")[0]: part for part in re.split(r"^## ", GLOSSARY.read_text(), flags=re.MULTILINE)[1:]}


def pattern_of(word: str) -> re.Pattern[str]:
    """A pattern between slashes; else the word itself, not as a part of a name with hyphens."""
    source = word.strip("/") if word.startswith("/") else rf"(?<![-_\w]){re.escape(word)}(?![-_\w])"
    return re.compile(source, re.IGNORECASE)


@functools.cache
def forbidden() -> dict[str, re.Pattern[str]]:
    """The words of the third column, each with its pattern."""
    return {
        word: pattern_of(word)
        for title, section in sections().items()
        if title != "Words"
        for _, _, words in rows_of(section)
        for word in re.split(r", (?![^/]*/(?:,|$))", words)
    }


@functools.cache
def frequent() -> dict[str, re.Pattern[str]]:
    return dict(zip(MODELS, (pattern_of(words) for _, words in rows_of(sections()["Words"])), strict=True))


def prose(text: str) -> str:
    """The text without code, comments, addresses of links, words in capitals, and what the servers and replfix itself print."""
    text = re.sub(r"^ *```.*?^ *```$|<!--.*?-->", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"`[^`\n]*`", "", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return " ".join(re.sub(r"\b[A-Z_]{2,}\b", "", text).split())


@functools.cache
def printed() -> list[str]:
    """Sentences that pages of errors repeat from the code, where they are counted."""
    sentences = {s for f in families() for s in (f.means, f.replfix, f.human)}
    return sorted((" ".join(re.sub(r"\b[A-Z_]{2,}\b", "", s).split()) for s in sentences if s), key=len, reverse=True)


@functools.cache
def read(page: Path) -> str:
    text = page.read_text()
    if str(page.relative_to(ROOT)) in PRINTED_TABLES:
        text = re.sub(r"^\|.*$", "", text, flags=re.MULTILINE)
    text = prose(text)
    if page.parent.name == "errors":
        for sentence in printed():
            text = text.replace(sentence, "")
    return text


@functools.cache
def shown_strings() -> str:
    """The strings of the package that hold words and are not docstrings: what people may come to read."""
    found: list[str] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        documenting = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        found += [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in documenting
            and " " in node.value.strip()
        ]
    return re.sub(r"`[^`\n]*`|\b[A-Z_]{2,}\b", "", "\n".join(found))


def test_a_term_has_one_sentence_and_one_entry() -> None:
    entries = [row for title, section in sections().items() if title != "Words" for row in rows_of(section)]
    assert all(len(row) == 3 and row[1].endswith(".") and row[1].count(". ") == 0 for row in entries)
    terms = Counter(term for row in entries for term in row[0].split(", "))
    assert [term for term, times in terms.items() if times > 1] == []
    assert not set(terms) & set(forbidden())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_uses_the_terms(page: Path) -> None:
    assert [(word, found[0]) for word, pattern in forbidden().items() if (found := pattern.search(read(page)))] == []


def test_a_word_that_is_not_used_would_be_found() -> None:
    assert pattern_of("slave").search("the slave stopped")
    assert not pattern_of("slave").search("pt-slave-restart")
    assert "I/O thread" in forbidden()
    assert "secret" not in prose("`a secret` <!-- secret --> [a](secret.md)")


@pytest.mark.parametrize("word", MODELS)
def test_a_word_is_not_much_more_frequent_than_elsewhere(word: str) -> None:
    """Written plainly, the pages need these words as rarely as the documentation of other tools of the field."""
    text = " ".join(read(page) for page in PAGES)
    words = len(re.findall(r"[A-Za-z][\w'’-]*", text))
    assert len(frequent()[word].findall(text)) / words * 10_000 <= 2 * MODELS[word]


def test_strings_of_the_package_use_the_terms() -> None:
    text = shown_strings()
    counted = {word: len(pattern.findall(text)) for word, pattern in {**forbidden(), **frequent()}.items()}
    assert {word: times for word, times in counted.items() if times > IN_CODE.get(word, 0)} == {}
