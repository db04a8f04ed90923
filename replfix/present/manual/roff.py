"""Markdown as a man page: groff_man(7), the macros that every man program knows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token


def man_page(name: str, section: int, summary: str, markdown: str, see_also: Sequence[str], version: str) -> str:
    """Return the page's source. ``markdown`` begins with its heading, which the summary takes the place of."""
    body = re.sub(r"\A# .*\n", "", markdown)
    lines = [f'.TH {_escaped(name.upper())} {section} "" "replfix {_escaped(version)}" "replfix"']
    lines += [".SH NAME", f"{_escaped(name)} \\- {_escaped(summary)}", ".SH DESCRIPTION"]
    lines += _body(MarkdownIt().enable("table").parse(body))
    if see_also:
        lines += [".SH SEE ALSO", ".nf", *map(_text_line, see_also), ".fi"]
    return "\n".join(lines) + "\n"


def _body(tokens: Sequence[Token]) -> Iterator[str]:
    cells: list[str] = []
    in_heading = in_item = False
    for at, token in enumerate(tokens):
        kind = token.type
        if kind == "heading_open":
            in_heading = True
            heading = ".SH" if token.tag in ("h1", "h2") else ".SS"
            yield f"{heading} {_quoted(_inline(tokens[at + 1]))}"
        elif kind == "heading_close":
            in_heading = False
        elif kind in ("fence", "code_block"):
            yield from (".PP", ".RS 4", ".nf", *map(_text_line, token.content.rstrip("\n").split("\n")), ".fi", ".RE")
        elif kind == "list_item_open":
            in_item = True
            yield f'.IP "{token.info}." 4' if token.info else r".IP \(bu 2"
        elif kind == "list_item_close":
            in_item = False
        elif kind == "paragraph_open" and not in_item:
            yield ".PP"
        elif kind == "tr_open":
            cells = []
        elif kind == "tr_close" and any(cells):
            yield ".TP"
            yield cells[0] or "\\&"
            yield " \\- ".join(filter(None, cells[1:])) or "\\&"
        elif kind == "inline" and not in_heading:
            text = _inline(token)
            if tokens[at - 1].type in ("td_open", "th_open"):
                cells.append("" if tokens[at - 1].type == "th_open" else text)
            else:
                yield text


def _inline(token: Token) -> str:
    text = ""
    for child in token.children or ():
        if child.type in ("text", "html_inline"):
            text += _escaped(child.content)
        elif child.type == "code_inline":
            text += rf"\fB{_escaped(child.content)}\fR"
        elif child.type in ("softbreak", "hardbreak"):
            text += " "
        elif child.type in ("strong_open", "em_open"):
            text += r"\fB" if child.type == "strong_open" else r"\fI"
        elif child.type in ("strong_close", "em_close"):
            text += r"\fR"
    return _unconfused(text)


def _escaped(text: str) -> str:
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return "".join(c if c.isascii() else rf"\[u{ord(c):04X}]" for c in text)


def _unconfused(line: str) -> str:
    """Return a line that is no request, although it begins as one."""
    return rf"\&{line}" if line.startswith((".", "'")) else line


def _text_line(line: str) -> str:
    return _unconfused(_escaped(line)) or "\\&"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', r"\(dq") + '"'
