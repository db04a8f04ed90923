"""The samples of the documentation: blocks that show what a command prints, each marked with where it comes from.

    <!-- sample: staged="two-writers" run="diagnose replica1" from="two-writers (" -->

``staged``: the scenario of the lab, or the name that a test gives to what it has staged. ``run``: the command, where ``ID`` is a
record of the audit trail. ``from``, optional: only the line that has this text and the lines indented under it; several texts,
joined by ``|``, are several excerpts, with a line ``…`` in between. ``until``, optional: what comes before the first line with
this text. A block that no test can produce says why, after ``not run``:

    <!-- sample: not run: it needs a log of two million lines -->

The tests that stage a scenario anyway run its samples (``checked``). ``REPLFIX_UPDATE_SAMPLES=1`` writes what is printed now
into the page, where that differs from the sample in more than addresses, ids, times and line breaks.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from replfix.cli.output import PIPED_WIDTH
from replfix.lab.topology import Lab
from tests.integration.running import replfix
from tests.places import DOCS, ROOT

PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
UPDATE = "REPLFIX_UPDATE_SAMPLES"
WIDTH = 120
_BLOCK = re.compile(
    r"^<!-- sample: (?P<marker>.*?) -->\n```(?:text)?\n(?P<typed>(?:\$ [^\n]*\n)*)(?P<text>.*?)^```$", re.S | re.M
)
_MASKS = [
    (re.compile(pattern), mask)
    for pattern, mask in (
        (r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|\b[0-9a-f]{8}-…", "UUID"),
        (r"\b[0-9a-f]{12,64}\b", "ID"),
        (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?\b", "TIME"),
        (r"\b127\.0\.0\.1:\d+", "ADDRESS"),
        (r"\bbinlog\.\d+:\d+", "PLACE"),
        (r"\bend_log_pos \d+|\b\d+–\d+\b", "POSITION"),
        (r"\bconnection \d+", "connection N"),
        (r"[\d,]+ MiB", "N MiB"),
        (r"\bin [\d,.]+ s\b", "in N s"),
        (r"\b9\.\d+\.\d+[\w.-]*|\breplfix \d+\.\d+\.\d+[\w.]*", "VERSION"),
        (r"\b[\w.-]+@[\w.-]+\b", "USER"),
        (r"(?:~|/)\S*/audit\.db\b", "TRAIL"),
        (r"TLSv[\d.]+, \w+", "TLS"),
        (r"[━─]+", "─"),
    )
]


@dataclass(frozen=True)
class Sample:
    page: Path
    line: int
    marker: str
    staged: str
    run: str
    starts: tuple[str, ...]
    end: str
    typed: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def samples() -> Iterator[Sample]:
    """Those that can be run."""
    for page in PAGES:
        text = page.read_text()
        for block in _BLOCK.finditer(text):
            given = dict(re.findall(r'(\w+)="([^"]*)"', block["marker"]))
            if not block["marker"].startswith("not run: "):
                yield Sample(
                    page,
                    text[: block.start()].count("\n") + 1,
                    block["marker"],
                    given["staged"],
                    given["run"],
                    tuple(start for start in given.get("from", "").split("|") if start),
                    given.get("until", ""),
                    block["typed"],
                    block["text"],
                )


def checked(lab: Lab, staged: str, ids: Mapping[str, str] | None = None) -> None:
    """Run the samples of what is staged on this lab, and compare. Pages show MySQL: other servers are left alone."""
    if lab.provision.flavour.name != "mysql":
        return
    stale = []
    of_it = [sample for sample in samples() if sample.staged == staged]
    for sample in sorted(of_it, key=lambda sample: "--yes" in sample.run):  # what writes comes last
        arguments = [(ids or {}).get(word, word) for word in shlex.split(sample.run)]
        ran = replfix(*arguments, config=str(lab.config_file))
        printed = excerpt(shown(ran.err + ran.out), sample)
        if masked(printed) != masked(sample.text):
            if os.environ.get(UPDATE):
                _write(sample, printed, ids)
            else:
                stale.append(
                    f"{sample.name} is not what 'replfix {sample.run}' prints:\n{_difference(sample, printed)}"
                )
    assert not stale, "\n\n".join([*stale, f"{UPDATE}=1 writes them anew."])


def masked(text: str) -> list[str]:
    """The words, for what is longer on this machine moves a line break."""
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text.split()


def shown(output: str) -> str:
    """What was printed, as a page shows it: lines joined that were wrapped for the pipe, and wrapped anew; identities short,
    and nothing of this machine."""
    lines: list[str] = []
    before = ""
    for line in (line.rstrip() for line in output.splitlines()):
        first = line.split(maxsplit=1)[0] if line.strip() else ""
        wrapped = (
            len(before) <= PIPED_WIDTH < len(before) + 1 + len(first)
        )  # statements are longer, and are not wrapped
        if first and wrapped and "│" not in line:
            lines[-1] += " " + line.strip()
        else:
            lines.append(line)
        before = line
    return "\n".join(part for line in lines for part in _wrapped(line)).strip("\n") + "\n"


def _wrapped(line: str) -> list[str]:
    line = re.sub(r"(?:~|/)\S*/audit\.db\b", "~/.local/state/replfix/audit.db", line)
    if re.search(r"\S {2,}\S|[│┃┏┡└]", line) and not line.startswith("Round "):  # a table keeps its columns
        return [re.sub(r"\b[\w.-]+@[\w.-]+\b(?=$|, replfix)", "alice@ops1", line)]
    line = re.sub(r"\b([0-9a-f]{8})-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", r"\1-…", line)
    line = re.sub(r"(?<=\bby )[\w.-]+@[\w.-]+", "alice@ops1", line)
    indent = re.match(r" *(?:\S )?", line)
    return textwrap.wrap(
        line,
        WIDTH,
        subsequent_indent=" " * len(indent[0] if indent else ""),
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    ) or [""]


def excerpt(output: str, sample: Sample) -> str:
    lines = output.splitlines()
    if sample.end:
        lines = lines[: next((n for n, line in enumerate(lines) if sample.end in line), len(lines))]
    if not sample.starts:
        return "\n".join(lines).rstrip() + "\n"
    parts = []
    for start in sample.starts:
        at = next((n for n, line in enumerate(lines) if start in line), None)
        assert at is not None, f"{sample.name}: no line has {start!r} in what 'replfix {sample.run}' prints:\n{output}"
        end = at + 1
        while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) > _indent(lines[at])):
            end += 1
        parts.append(textwrap.dedent("\n".join(lines[at:end])).strip("\n"))
    return "\n…\n".join(parts) + "\n"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _difference(sample: Sample, printed: str) -> str:
    return "\n".join(
        difflib.unified_diff(sample.text.splitlines(), printed.splitlines(), "page", "printed", lineterm="")
    )


def _write(sample: Sample, printed: str, ids: Mapping[str, str] | None) -> None:
    before = f"<!-- sample: {sample.marker} -->\n"
    text = sample.page.read_text()
    assert text.count(before) == 1, f"{sample.name}: the page has this marker twice"
    head, marker, tail = text.partition(before)
    fence, _, tail = tail.partition(sample.typed + sample.text)
    typed = re.sub(r"\b[0-9a-f]{12}\b", (ids or {}).get("ID", ""), sample.typed)
    sample.page.write_text(head + marker + fence + typed + printed + tail)
