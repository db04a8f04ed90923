"""A counted log as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from replfix.core.words import counted
from replfix.present.page.explanation_page import explanations_page
from replfix.present.page.rich_page import page_text
from replfix.present.rate_text import rate_chart, rate_sentences
from replfix.present.row_values_text import shown
from replfix.present.safe_text import indented, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replfix.core.explain.surge import Group as Counts
    from replfix.workflow.explain.explanations import Counted

GROUPS_SHOWN = 20
NOT_THERE = "not in the log"


def counted_text(log: Counted, *, blocks: bool = True) -> RenderableType:
    """Return the table of a surge, and the explanations that a server was asked for.

    ``blocks``: the output has block characters.
    """
    parts: list[RenderableType] = [
        Text.assemble(
            (counted(log.errors, "duplicate-key error"), "bold"),
            f" in {counted(log.lines, 'line')}, on {counted(len(log.groups), 'key')}",
        )
    ]
    if log.rate is not None:
        parts.extend(_point("●", sentence, "cyan") for sentence in rate_sentences(log.rate, log.followed_quiet))
        if (chart := rate_chart(log.rate, blocks=blocks)) is not None:
            parts.append(Padding(Text(chart), (0, 0, 0, 4), expand=False))
    parts.extend(_point("!", note, "yellow") for note in _notes(log))
    if not log.groups:
        return Group(*parts)
    parts.append(Text(""))
    grid = Grid(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    grid.add_column("count", justify="right")
    for title in ("key", "table", "first seen", "last seen", "values"):
        grid.add_column(title, overflow="fold")
    for group in log.groups[:GROUPS_SHOWN]:
        grid.add_row(
            f"{group.count:,}",
            Text(visible(group.key or NOT_THERE, keep_newlines=False)),
            Text(visible(group.table or "", keep_newlines=False)),
            Text(visible(group.first_seen or "-")),
            Text(visible(group.last_seen or "-")),
            Text(_values(group)),
        )
    parts.append(grid)
    if len(log.groups) > GROUPS_SHOWN:
        parts.append(
            _point("…", f"and {counted(len(log.groups) - GROUPS_SHOWN, 'more key')}: --json lists all.", indent=0)
        )
    parts.append(_title("What it looks like"))
    for group in log.groups[:GROUPS_SHOWN]:
        of = f" of {group.table}" if group.table and "." not in group.key else ""
        parts.append(_point("●", f"{group.key or NOT_THERE}{of}: {group.meaning}.", "cyan"))
    explained = [e for e in log.explanations if e.case.was_asked]
    for number, explanation in enumerate(explained, 1):
        parts.append(Text(f"\n{number}. The latest one on {indented(explanation.case.duplicate.key)}", style="bold"))
        parts.extend(page_text(explanations_page([explanation])))
    return Group(*parts)


def _notes(log: Counted) -> Iterator[str]:
    """Yield what the counts leave open."""
    if log.interrupted:
        yield "Interrupted: only the part that was read is counted."
    if log.damaged is not None:
        yield f"The file is damaged, and was read up to there: {log.damaged}"
    if log.not_grouped:
        yield f"{counted(log.not_grouped, 'error')} more, on further keys, were not grouped."
    if log.doubtful_errors:
        yield (
            f"{counted(log.doubtful_errors, 'error')} of them may be the same as another one: "
            "no time or process tells their lines apart."
        )
    if log.doubtful_repeats:
        yield (
            f"{counted(log.doubtful_repeats, 'line')} with the same key and value at the same time were taken for repetitions, "
            "and may be further errors."
        )
    if any(group.separated for group in log.groups):
        yield (
            "The log does not name the table of some keys. Their errors are listed by values that go together, "
            "each perhaps another table: that is a guess. --json marks them."
        )


def _values(group: Counts) -> str:
    if not group.distinct:
        return NOT_THERE
    shown_values = ", ".join(shown(example, 30) for example in group.examples)
    more = "more than " if group.distinct_at_least else ""
    unknown = f"; {group.unknown:,} {NOT_THERE}" if group.unknown else ""
    return (
        f"{more}{group.distinct:,}: {shown_values}" + (", …" if group.distinct > len(group.examples) else "") + unknown
    )


def _title(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def _point(mark: str, text: str, style: str = "", indent: int = 2) -> Padding:
    grid = Grid.grid(padding=(0, 1))
    grid.add_row(Text(mark, style=style), Text(visible(text)))
    return Padding(grid, (0, 0, 0, indent), expand=False)
