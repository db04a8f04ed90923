"""A page as one HTML file: no script, nothing loaded from elsewhere, for screens light and dark and for paper.

Text that comes from a server is escaped, and its control characters are spelt out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import replfix
from replfix.present.page.drawing import svg
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
    Steps,
    Table,
    Words,
    plain,
)
from replfix.present.page.rich_page import DIFFERS, statement_text
from replfix.present.row_values_text import cell
from replfix.present.safe_text import visible

_NOTHING = Markup("")
_CELLS = {"th": Markup("<th>{}</th>"), "td": Markup("<td>{}</td>")}


def html(page: Page) -> str:
    """Return the page as HTML."""
    env = Environment(
        loader=PackageLoader("replfix.present.page", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return env.get_template("page.html.j2").render(
        title=visible(plain(page.title), keep_newlines=False),
        heading=_words(page.title),
        symbol=page.symbol.sign,
        role=page.symbol.role.name.lower(),
        sections=Markup("\n").join(_section(section) for section in page.sections),
        version=replfix.__version__,
    )


def _section(section: Section) -> Markup:
    level = section.level + 1
    heading = Markup("<h{0}>{1}</h{0}>\n").format(level, _words(section.heading)) if section.heading else _NOTHING
    body = Markup("\n").join(_block(block) for block in section.blocks)
    return Markup("<section>\n{}{}\n</section>").format(heading, body)


def _block(block: Block) -> Markup:
    match block:
        case Point():
            return Markup('<p class="point level{} {}"><span class="sign">{}</span> {}</p>').format(
                block.level, block.symbol.role.name.lower(), block.symbol.sign, _words(block.words)
            )
        case Sentence():
            return Markup('<p class="level{}">{}</p>').format(block.level, _words(block.words))
        case Message():
            return Markup("<pre>{}</pre>").format(visible(block.text))
        case Script():
            lines = "\n".join(visible(each) for each in block.statements)
            return Markup('<pre class="level{}">{}</pre>').format(block.level, lines)
        case Steps():
            items = (Markup("<li><code>{}</code></li>").format(visible(statement_text(each))) for each in block.each)
            return Markup("<ol>{}</ol>").format(_NOTHING.join(items))
        case Facts():
            pairs = (Markup("<dt>{}</dt><dd>{}</dd>").format(visible(name), _words(of)) for name, of in block.pairs)
            return Markup("<dl>{}</dl>").format(_NOTHING.join(pairs))
        case Rows():
            return _rows(block)
        case Table():
            return _table(block)
        case Drawing():
            return Markup('<div class="wide">{}</div>').format(svg(block))
        case _:
            assert_never(block)


def _words(of: Words) -> Markup:
    return _NOTHING.join(_span(span.text, span.role) for span in of)


def _span(text: str, role: Role) -> Markup:
    shown = visible(text, keep_newlines=role is not Role.NAME)
    if role is Role.PLAIN:
        return Markup("{}").format(shown)
    if role is Role.STRONG:
        return Markup("<strong>{}</strong>").format(shown)
    return Markup('<span class="{}">{}</span>').format(role.name.lower(), shown)


def _rows(rows: Rows) -> Markup:
    head = _cells("th", ("", "column", *(side.title for side in rows.sides)))
    body = (
        Markup("<tr{}>{}</tr>").format(
            Markup(' class="differs"') if column in rows.differing else _NOTHING,
            _cells(
                "td",
                (
                    DIFFERS if column in rows.differing else "",
                    column,
                    *(cell(side.image, ordinal) for side in rows.sides),
                ),
            ),
        )
        for ordinal, column in enumerate(rows.columns)
    )
    return _grid(head, body)


def _table(table: Table) -> Markup:
    head = _cells("th", (*([""] if table.marked else []), *table.head))
    body = (
        Markup("<tr>{}{}</tr>").format(
            Markup("<td>{}</td>").format(DIFFERS if row.differs else "") if table.marked else _NOTHING,
            _NOTHING.join(Markup("<td>{}</td>").format(_words(words)) for words in row.cells),
        )
        for row in table.rows
    )
    return _grid(head, body)


def _cells(cell_of: str, texts: tuple[str, ...]) -> Markup:
    return _NOTHING.join(_CELLS[cell_of].format(visible(text, keep_newlines=False)) for text in texts)


def _grid(head: Markup, rows: Iterator[Markup]) -> Markup:
    return Markup('<div class="wide"><table>\n<tr>{}</tr>\n{}\n</table></div>').format(head, Markup("\n").join(rows))
