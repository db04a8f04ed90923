"""One SVG that shows several screens in turn: CSS keyframes, no script, nothing from elsewhere.

Made of what Textual exports of each screen. A line of the terminal that several screens have is in the file once.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

CELL, LINE, FIRST = (
    12.2,
    24.4,
    1.5,
)  # how Rich draws: the width of a column, the height of a line, the top of the first one
MARGIN, TOP, BOTTOM = 9, 41, 44

_STYLE = re.compile(r"^\s*\.terminal-(?:\d+-)?(r\d+) \{ (.*?);? *\}$", re.MULTILINE)
_RECT = re.compile(r'<rect fill="(#\w+)" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="24.65"[^>]*/>')
_TEXT = re.compile(r'<text class="terminal-(?:\d+-)?(r\d+)" x="([\d.]+)" y="([\d.]+)" textLength="[^>]*>(.*?)</text>')
_FRAME = re.compile(r'<g class="f f\d+">(.*?)</g>', re.DOTALL)


@dataclass(frozen=True)
class Frame:
    """One screen: what ``App.export_screenshot`` gives, the line that explains it, and for how long it is shown."""

    exported: str
    caption: str
    seconds: float


def animated(frames: Sequence[Frame], *, columns: int, lines: int, title: str, still: int) -> str:
    """Return the SVG. Where nothing moves, because it is not supported or not wanted, it shows the frame ``still``."""
    styles: dict[str, str] = {}
    rows: dict[str, str] = {}
    bodies = [_body(number, frame, lines, styles, rows) for number, frame in enumerate(frames)]
    width, height = columns * CELL + 2 * MARGIN, TOP + lines * LINE + BOTTOM
    total = sum(frame.seconds for frame in frames)
    rules, begin = [], 0.0
    for number, frame in enumerate(frames):
        start, end = begin / total * 100, (begin + frame.seconds) / total * 100
        hidden = "" if number == 0 else "0%{visibility:hidden}"
        rules.append(
            f"@keyframes k{number}{{{hidden}{start:.2f}%{{visibility:visible}}{end:.2f}%{{visibility:hidden}}}}"
        )
        rules.append(f".f{number}{{animation-name:k{number}}}")
        begin += frame.seconds
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
            f"<title>{html.escape(title)}</title>",
            "<style>",
            "text{font:20px 'Fira Code',ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace}",
            f".f{{visibility:hidden;animation:{total:g}s step-end infinite}}",
            f".f{still}{{visibility:visible}}",
            *rules,
            f"@media (prefers-reduced-motion:reduce){{.f{{animation:none}}.f{still}{{visibility:visible}}}}",
            *(f".{name}{{{style}}}" for style, name in styles.items()),
            "</style>",
            "<defs>",
            *(f'<g id="{name}">{row}</g>' for row, name in rows.items()),
            "</defs>",
            f'<rect width="{width:.0f}" height="{height:.0f}" rx="8" fill="#14171c" stroke="#8a8f98"/>',
            *(f'<circle cx="{22 + 22 * n}" cy="21" r="7" fill="{c}"/>' for n, c in enumerate(("#ff5f57", "#febc2e", "#28c840"))),
            f'<text x="{width / 2:.0f}" y="27" text-anchor="middle" fill="#ebe8e3">{html.escape(title)}</text>',
            *bodies,
            "</svg>",
            "",
        )
    )  # fmt: skip


def _body(number: int, frame: Frame, lines: int, styles: dict[str, str], rows: dict[str, str]) -> str:
    own = dict(_STYLE.findall(frame.exported))
    parts: list[list[str]] = [[] for _ in range(lines)]
    for fill, x, y, width in _RECT.findall(frame.exported):
        parts[_line(float(y) - FIRST)].append(f'<rect x="{x}" y="1" width="{width}" height="25" fill="{fill}"/>')
    for name, x, y, text in _TEXT.findall(frame.exported):
        style = own[name].replace(": ", ":")
        used = styles.setdefault(style, f"c{len(styles)}")
        parts[_line(float(y) - 20)] += _pieces(used, float(x), html.unescape(text).replace("\u00a0", " "))
    drawn = []
    for line, row in enumerate("".join(each) for each in parts):
        if row:
            name = rows.setdefault(row, f"l{len(rows)}")
            drawn.append(f'<use href="#{name}" x="{MARGIN}" y="{TOP + line * LINE:.1f}"/>')
    y = TOP + lines * LINE + 30
    caption = f'<text x="{MARGIN + CELL:.1f}" y="{y:.1f}" fill="#ffd75f">{html.escape(frame.caption)}</text>'
    return f'<g class="f f{number}">{"".join(drawn)}{caption}</g>'


def _pieces(style: str, x: float, text: str) -> Iterator[str]:
    """What is between two spaces or more is drawn at its own place: programs differ in what they do with spaces."""
    for piece in re.finditer(r"\S+(?: \S+)*", text):
        begin, width = cell_len(text[: piece.start()]), cell_len(piece[0])
        place = f'x="{x + begin * CELL:.1f}" y="20" textLength="{width * CELL:.1f}"'
        yield f'<text class="{style}" {place}>{html.escape(piece[0], quote=False)}</text>'


def _line(offset: float) -> int:
    return round(offset / LINE)


def shown(svg: str) -> list[str]:
    """Return the text of each frame of such a file, line by line, its caption last."""
    rows = dict(re.findall(r'<g id="(l\d+)">(.*?)</g>', svg))
    found = []
    for body in _FRAME.findall(svg):
        drawn = [rows[name] for name in re.findall(r'<use href="#(l\d+)"', body)]
        drawn.append(body[body.index("<text") :])
        found.append(
            "\n".join(" ".join(html.unescape(text) for text in re.findall(r">([^<]*)</text>", row)) for row in drawn)
        )
    return found
