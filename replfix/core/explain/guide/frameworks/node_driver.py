"""Node.js drivers."""

from __future__ import annotations

from replfix.core.explain.guide.handling import Handling

NAME = "Node.js"
FORMS: frozenset[str] = frozenset(("Node.js",))
MARKS: tuple[str, ...] = ("ER_DUP_ENTRY", "node_modules")

HANDLING = Handling(
    catch="Catch the error with code 'ER_DUP_ENTRY' (errno 1062; pg: code '23505') and read the row that is there.",
)
