"""A report of the advisor for people."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from replfix.core.advisor.finding import Finding, Severity
from replfix.core.advisor.node import Node
from replfix.core.advisor.rollout import Rollout
from replfix.core.advisor.survey import Report
from replfix.core.advisor.writers import writers
from replfix.core.words import counted
from replfix.present.rollout_text import rollout_lines
from replfix.present.text import visible

_MARKS = {
    Severity.CRITICAL: ("✘", "bold red"),
    Severity.WARNING: ("!", "yellow"),
    Severity.INFO: ("i", "blue"),
}


def text_of(report: Report, plan: Rollout | None = None) -> RenderableType:
    parts: list[RenderableType] = [_nodes(report), Text("")]
    for finding in report.findings:
        parts += [_finding(finding), Text("")]
    if not report.findings:
        parts += [Text("✔ Nothing found.", style="green"), Text("")]
    else:
        parts.append(Text(_summary(report)))
    if report.survey.unknowns:
        parts += [Text("Not known:", style="bold"), *(Text(f"  {visible(u)}") for u in report.survey.unknowns)]
    if plan is not None:
        parts += [Text(""), *(Text(line, overflow="fold") for line in rollout_lines(plan))]
    return Group(*parts)


def _summary(report: Report) -> str:
    number = {severity: sum(f.severity is severity for f in report.findings) for severity in Severity}
    return ", ".join(f"{count} {severity.value}" for severity, count in number.items() if count) + "."


def _nodes(report: Report) -> Table:
    writing = {node.uuid for node in writers(report.survey)}
    grid = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for title in (
        "server",
        "version",
        "writes",
        "increment/offset",
        "after restart",
        "reads from",
        "own inserts, of the log that was read",
    ):
        grid.add_column(title, overflow="fold")
    names = {node.uuid: node.name for node in report.survey.nodes}
    for node in report.survey.nodes:
        grid.add_row(
            Text(visible(node.name)),
            Text(visible(node.version)),
            Text("✔ yes" if node.uuid in writing else "read-only" if node.read_only else "no"),
            Text(str(node.step)),
            Text(f"{_or_unknown(node.increment.after_restart)}/{_or_unknown(node.offset.after_restart)}"),
            Text(
                visible(", ".join(names.get(c.source_uuid, f"{c.source_host}:{c.source_port}") for c in node.channels))
                or "-"
            ),
            Text(_wrote(node)),
        )
    return grid


def _or_unknown(number: int | None) -> str:
    return "?" if number is None else str(number)


def _wrote(node: Node) -> str:
    log = node.log
    if log is None:
        return "?"
    if not log.transactions:
        return "none"
    rows = sum(inserts.rows for inserts in log.inserts.values())
    since = f" since {log.since:%Y-%m-%d %H:%M}" if log.since is not None else ""
    return f"{counted(rows, 'row')} in {counted(log.transactions, 'transaction')}{since}"


def _finding(finding: Finding) -> RenderableType:
    mark, style = _MARKS[finding.severity]
    grid = Table.grid(padding=(0, 1))
    head = Text(f"{visible(finding.message)} ")
    head.append(f"[{finding.code}]", style="dim")
    grid.add_row(Text(mark, style=style), head)
    for sentence in finding.evidence:
        grid.add_row("", Text(visible(sentence), style="dim"))
    for line in finding.fix_sql:
        grid.add_row(
            "", Padding(Text(visible(line if line.startswith("--") else f"{line};"), style="bold"), (0, 0, 0, 2))
        )
    return grid
