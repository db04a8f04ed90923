"""A page as Markdown, for the ticket: text from servers is written as code or escaped."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import assert_never

from replfix.present.markdown import SENTENCE_WIDTH, code, cut, fenced, sentence, table
from replfix.present.page.page_model import (
    Block,
    Drawing,
    Facts,
    Message,
    Page,
    Point,
    Role,
    Rows,
    Script,
    Section,
    Sentence,
    Statement,
    Steps,
    Table,
    Words,
)
from replfix.present.page.rich_page import DIFFERS
from replfix.present.row_values_text import cell, without
from replfix.present.safe_text import visible

VALUE_WIDTH = 120
STATEMENT_WIDTH = 4_000
STATEMENTS = 200


def markdown(page: Page) -> str:
    """Return the page as Markdown, ended with one line feed."""
    parts = [_head(page), *map(_section, page.sections)]
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


def _head(page: Page) -> Iterator[str]:
    if page.title:
        yield from (f"# {_words(page.title, in_heading=True)}", "")


def _section(section: Section) -> Iterator[str]:
    if section.heading:
        yield from (f"{'#' * (section.level + 1)} {_words(section.heading, in_heading=True)}", "")
    for is_list, blocks in groupby(section.blocks, lambda block: isinstance(block, Point | Facts)):
        for block in blocks:
            yield from _block(block)
        if is_list:
            yield ""


def _block(block: Block) -> Iterator[str]:
    match block:
        case Point():
            sign = "" if block.symbol.is_bullet else f"{block.symbol.sign} "
            yield f"{'  ' * block.level}- {sign}{_words(block.words)}"
        case Facts():
            yield from (f"- {sentence(name)}: {_words(of)}" for name, of in block.pairs)
        case Sentence():
            yield from (f"{'  ' * block.level}{_words(block.words)}", "")
        case Message():
            yield from (*fenced([cut(block.text, SENTENCE_WIDTH)], "text"), "")
        case Script():
            yield from _script(block.statements, block.level)
        case Steps():
            yield from _steps(block)
        case Rows():
            yield from (*_rows(block), "")
        case Table():
            yield from (*_table(block), "")
        case Drawing():
            yield from (*(f"- {sentence(block.in_words(each))}" for each in block.links), "")
        case _:
            assert_never(block)


def _words(of: Words, *, in_heading: bool = False) -> str:
    """Join adjacent spans of the same kind to one text: whether a character has to be escaped depends on those around it."""
    parts: list[str] = []
    for role, spans in groupby(of, lambda span: span.role if span.role in (Role.NAME, Role.STRONG) else Role.PLAIN):
        text = "".join(span.text for span in spans)
        if role is Role.NAME:
            parts.append(code(text))
            continue
        said = sentence(text)
        said = f"**{said}**" if role is Role.STRONG and said and not in_heading else said
        lead, tail = text[:1].isspace(), text[-1:].isspace()
        parts.append(f"{' ' if lead else ''}{said}{' ' if tail and said else ''}")
    return "".join(parts).strip()


def _steps(steps: Steps) -> Iterator[str]:
    """Yield SQL that runs at one place as one block to copy, sentences as points."""
    for (on, is_sql), each in groupby(steps.each, lambda statement: (statement.on, statement.is_sql)):
        statements = list(each)
        if is_sql:
            if on:
                yield from (f"{on}:", "")
            yield from _script([f"{statement.text};" for statement in statements])
        else:
            yield from (*(f"- {_statement(statement)}" for statement in statements[:STATEMENTS]), "")
            yield from _further(len(statements) - STATEMENTS)


def _statement(statement: Statement) -> str:
    on = f"{statement.on}: " if statement.on else ""
    return sentence(f"{on}{statement.text}")


def _script(statements: tuple[str, ...] | list[str], level: int = 0) -> Iterator[str]:
    lines = fenced([cut(each, STATEMENT_WIDTH) for each in statements[:STATEMENTS]], "sql")
    yield from ("  " * min(level, 1) + line for text in lines for line in text.split("\n"))
    yield ""
    yield from _further(len(statements) - STATEMENTS)
    if any(len(each) > STATEMENT_WIDTH or visible(each) != each for each in statements):
        yield from (
            "Not to be copied from here: a statement was cut, or has characters that do not print and are spelt out. The "
            "audit trail has it as it is.",
            "",
        )


def _further(number: int) -> Iterator[str]:
    if number > 0:
        yield from (f"And {number:,} more.", "")


def _rows(rows: Rows) -> list[str]:
    return table(
        ["", "column", *(side.title for side in rows.sides)],
        (
            [
                DIFFERS if column in rows.differing else "",
                code(column),
                *(without(side.image) or code(cell(side.image, ordinal, VALUE_WIDTH)) for side in rows.sides),
            ]
            for ordinal, column in enumerate(rows.columns)
        ),
    )


def _table(of: Table) -> list[str]:
    return table(
        [*([""] if of.marked else []), *map(sentence, of.head)],
        ([*([DIFFERS if row.differs else ""] if of.marked else []), *map(_words, row.cells)] for row in of.rows),
    )
