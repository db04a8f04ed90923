"""A report of the advisor as one HTML file: no script, nothing loaded from elsewhere, for screens light and dark and for paper."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import replfix
from replfix.core.advisor.findings.head_room import by_use, in_words
from replfix.present.advice.advice_page import MARKS, SERVER_COLUMNS, Page, room_words, statement
from replfix.present.safe_text import visible


def html_of(page: Page) -> str:
    """Return the page as HTML. Text that comes from a server is escaped, and its control characters are spelt out."""
    # Whatever comes from a server is text: control characters spelt out, and escaped by the template.
    env = Environment(
        loader=PackageLoader("replfix.present.advice", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if isinstance(value, Markup) else visible(str(value)),
    )
    return env.get_template("report.html.j2").render(
        page=page,
        marks=MARKS,
        columns=SERVER_COLUMNS,
        statement=statement,
        room_words=room_words,
        in_words=in_words,
        grade=by_use,
        version=replfix.__version__,
    )
