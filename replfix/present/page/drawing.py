"""Servers and what replicates from what, as SVG: text and lines only, in the colours of the page around it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import cos, hypot, pi, sin

from markupsafe import Markup

from replfix.present.page.page_model import Drawing, Place, Role
from replfix.present.safe_text import visible

WIDTH, LINE, MARGIN = 200, 17, 10  # of a server's box and of what is in it, in pixels
LETTERS = 26  # that fit into a line of a box
LEAST_RADIUS = 170

Point = tuple[float, float]


def svg(drawing: Drawing) -> Markup:
    """Return the drawing: in rows from the top where replication goes one way, else on a circle."""
    height = MARGIN * 2 + LINE * (1 + max((len(place.notes) for place in drawing.places), default=0))
    at = _places(drawing, height)
    right = max((x for x, _ in at), default=0) + WIDTH / 2 + MARGIN
    bottom = max((y for _, y in at), default=0) + height / 2 + MARGIN
    links = (_link(drawing, number, at, height) for number in range(len(drawing.links)))
    boxes = (_box(place, x, y, height) for place, (x, y) in zip(drawing.places, at, strict=True))
    said = "; ".join(drawing.in_words(link) for link in drawing.links) or "no replication between them"
    return Markup(
        '<svg class="drawing" role="img" aria-label="{}" viewBox="0 0 {:.0f} {:.0f}" width="{:.0f}" height="{:.0f}">\n'
        '<defs><marker id="end" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto-start-reverse">'
        '<path d="M0 0 10 5 0 10z" class="head"/></marker></defs>\n{}\n{}\n</svg>'
    ).format(visible(said, keep_newlines=False), right, bottom, right, bottom, _joined(links), _joined(boxes))


def _joined(parts: Iterable[Markup]) -> Markup:
    return Markup("\n").join(parts)


def _places(drawing: Drawing, height: float) -> list[Point]:
    levels = _levels(drawing)
    if levels is None:
        return _circle(len(drawing.places), height)
    at: list[Point] = [(0.0, 0.0)] * len(drawing.places)
    widest = max((levels.count(level) for level in set(levels)), default=1)
    for level in set(levels):
        row = [number for number, on in enumerate(levels) if on == level]
        left = (widest - len(row)) * (WIDTH + 40) / 2
        for place, number in enumerate(row):
            at[number] = (MARGIN + WIDTH / 2 + left + place * (WIDTH + 40), MARGIN + height / 2 + level * (height + 60))
    return at


def _levels(drawing: Drawing) -> Sequence[int] | None:
    """Return how many steps each place is from the top; None where transactions go round."""
    levels = [0] * len(drawing.places)
    for _ in drawing.places:
        moved = False
        for link in drawing.links:
            if levels[link.replica] <= levels[link.source]:
                levels[link.replica], moved = levels[link.source] + 1, True
        if not moved:
            return levels
    return None


def _circle(number: int, height: float) -> list[Point]:
    if number == 2:
        return [(MARGIN + WIDTH / 2, MARGIN + height / 2), (MARGIN + WIDTH / 2 + WIDTH + 160, MARGIN + height / 2)]
    radius = max(LEAST_RADIUS, number * (WIDTH + 40) / (2 * pi))
    x, y = MARGIN + WIDTH / 2 + radius, MARGIN + height / 2 + radius
    turns = (2 * pi * n / number - pi / 2 for n in range(number))
    return [(x + radius * cos(turn), y + radius * sin(turn)) for turn in turns]


def _box(place: Place, x: float, y: float, height: float) -> Markup:
    texts = [
        Markup('<text x="{:.0f}" y="{:.0f}" class="{}">{}</text>').format(
            x, y - height / 2 + MARGIN + LINE * (line + 0.75), "name" if not line else "note", _cut(text)
        )
        for line, text in enumerate((place.name, *place.notes))
    ]
    return Markup(
        '<g class="{}"><title>{}</title><rect x="{:.0f}" y="{:.0f}" width="{}" height="{:.0f}" rx="6"/>{}</g>'
    ).format(
        place.role.name.lower(),
        visible(", ".join((place.name, *place.notes)), keep_newlines=False),
        x - WIDTH / 2,
        y - height / 2,
        WIDTH,
        height,
        Markup("").join(texts),
    )


def _cut(text: str) -> str:
    shown = visible(text, keep_newlines=False)
    return shown if len(shown) <= LETTERS else f"{shown[: LETTERS - 1]}…"


def _link(drawing: Drawing, number: int, at: Sequence[Point], height: float) -> Markup:
    """Draw from edge to edge of the boxes; of two that lead to and fro, each a little aside."""
    link = drawing.links[number]
    (x1, y1), (x2, y2) = at[link.source], at[link.replica]
    long = hypot(x2 - x1, y2 - y1) or 1.0
    back = any((other.source, other.replica) == (link.replica, link.source) for other in drawing.links)
    same = [n for n, o in enumerate(drawing.links) if (o.source, o.replica) == (link.source, link.replica)]
    aside = (12.0 if back else 0.0) + 14.0 * same.index(number)
    dx, dy = -(y2 - y1) / long * aside, (x2 - x1) / long * aside
    out, into = _edge(x1, y1, x2, y2, height), _edge(x2, y2, x1, y1, height)
    middle = ((out[0] + into[0]) / 2 + dx, (out[1] + into[1]) / 2 + dy)
    line = Markup('<line x1="{:.0f}" y1="{:.0f}" x2="{:.0f}" y2="{:.0f}" marker-end="url(#end)"/>').format(
        out[0] + dx, out[1] + dy, into[0] + dx, into[1] + dy
    )
    note = Markup('<text x="{:.0f}" y="{:.0f}" class="note">{}</text>').format(
        middle[0], middle[1] + (14 if dy > 0 else -5), _cut(link.note)
    )
    return Markup('<g class="link {}">{}{}</g>').format(
        link.role.name.lower() if link.role is not Role.PLAIN else "", line, note if link.note else ""
    )


def _edge(x1: float, y1: float, x2: float, y2: float, height: float) -> Point:
    """Return where the line from the first centre to the second leaves the first box."""
    dx, dy = x2 - x1, y2 - y1
    share = min(
        WIDTH / 2 / abs(dx) if dx else 1.0,
        height / 2 / abs(dy) if dy else 1.0,
        1.0,
    )
    return x1 + dx * share, y1 + dy * share
