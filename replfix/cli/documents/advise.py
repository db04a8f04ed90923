"""``replfix.advise/1``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Literal

from replfix.cli.documents.base import Document, Part
from replfix.cli.documents.rollout import RolloutPart
from replfix.core.advisor.changes import Changes, Mark
from replfix.core.advisor.node import KeyTable, LogSample, Node, Setting
from replfix.core.advisor.rollout import Rollout
from replfix.core.advisor.survey import Report
from replfix.core.advisor.writers import writers
from replfix.core.remedies.remedy import Fix
from replfix.core.schema.table import TableName


class SettingPart(Part):
    now: int
    persisted: int | None
    origin: str
    path: str
    after_restart: int | None

    @classmethod
    def of(cls, setting: Setting) -> SettingPart:
        return cls(
            now=setting.now,
            persisted=setting.persisted,
            origin=setting.origin,
            path=setting.path,
            after_restart=setting.after_restart,
        )


class UsedPart(Part):
    increment: int
    offset: int
    transactions: int
    last_at: datetime


class LogPart(Part):
    since: datetime | None
    until: datetime | None
    transactions: int
    last_at: datetime | None
    whole: bool
    used: list[UsedPart]

    @classmethod
    def of(cls, log: LogSample) -> LogPart:
        used = [
            UsedPart(increment=u.step.increment, offset=u.step.offset, transactions=u.transactions, last_at=u.last_at)
            for u in log.used
        ]
        return cls(
            since=log.since,
            until=log.until,
            transactions=log.transactions,
            last_at=log.last_at,
            whole=log.whole,
            used=used,
        )


class CounterPart(Part):
    table: str
    column: str
    type: str
    next_value: int | None
    highest: int | None
    limit: int | None
    inserted: int | None  # rows that the node itself inserted, in the part of its log that was read; null: not known


class NodePart(Part):
    name: str
    address: str
    uuid: str
    version: str
    read_only: bool
    writes: bool
    auto_increment_increment: SettingPart
    auto_increment_offset: SettingPart
    binlog_format: str
    innodb_autoinc_lock_mode: int | None
    log: LogPart | None
    counters: list[CounterPart]

    @classmethod
    def of(cls, node: Node, *, writes: bool) -> NodePart:
        return cls(
            name=node.name,
            address=node.address,
            uuid=node.uuid,
            version=node.version,
            read_only=node.read_only,
            writes=writes,
            auto_increment_increment=SettingPart.of(node.increment),
            auto_increment_offset=SettingPart.of(node.offset),
            binlog_format=node.binlog_format,
            innodb_autoinc_lock_mode=node.lock_mode,
            log=None if node.log is None else LogPart.of(node.log),
            counters=[_counter(node, table) for _, table in sorted(node.tables.items()) if table.counter is not None],
        )


def _counter(node: Node, table: KeyTable) -> CounterPart:
    assert table.counter is not None
    return CounterPart(
        table=str(table.name),
        column=table.counter.column.name,
        type=table.counter.column.column_type,
        next_value=table.counter.next_value,
        highest=table.counter.highest,
        limit=table.counter.limit,
        inserted=_inserted(node.log, table.name),
    )


def _inserted(log: LogSample | None, table: TableName) -> int | None:
    if log is None:
        return None
    return log.inserts[table].rows if table in log.inserts else 0


class EdgePart(Part):
    source: str
    replica: str
    channel: str
    running: bool
    filtered: bool


class FixPart(Part):
    """Statements for one session on one server; without them ``remark`` is what to do."""

    node: str | None
    sql: list[str]
    remark: str | None


class FindingPart(Part):
    code: str
    severity: Literal["critical", "warning", "info"]
    node: str | None
    table: str | None
    message: str
    evidence: list[str]
    fix_sql: list[str]  # of all servers in lines; one that begins with -- is a comment: where or when
    fixes: list[FixPart]


class MarkPart(Part):
    code: str
    severity: Literal["critical", "warning", "info"]
    node: str | None
    table: str | None
    message: str

    @classmethod
    def of(cls, mark: Mark) -> MarkPart:
        return cls.model_validate(asdict(mark))


class ChangesPart(Part):
    since: datetime
    new: list[MarkPart]
    gone: list[MarkPart]
    graver: list[MarkPart]
    remaining: int
    servers_new: list[str]
    servers_gone: list[str]

    @classmethod
    def of(cls, changes: Changes) -> ChangesPart:
        return cls(
            since=changes.since,
            new=[MarkPart.of(m) for m in changes.new],
            gone=[MarkPart.of(m) for m in changes.gone],
            graver=[MarkPart.of(m) for m in changes.graver],
            remaining=changes.remaining,
            servers_new=list(changes.servers_new),
            servers_gone=list(changes.servers_gone),
        )


class AdviseDocument(Document):
    schema_name: Literal["replfix.advise/1"] = "replfix.advise/1"
    read_at: datetime
    nodes: list[NodePart]
    edges: list[EdgePart]  # by the nodes' uuid
    findings: list[FindingPart]
    unknowns: list[str]
    plan: RolloutPart | None = None  # with --writers, and where two write and something has to be set
    changes: ChangesPart | None = None  # with --since only


def advise_document(report: Report, plan: Rollout | None = None, changes: Changes | None = None) -> AdviseDocument:
    """Return the report; ``plan`` with --writers or where something has to be set, ``changes`` with --since."""
    survey = report.survey
    writing = {node.uuid for node in writers(survey)}
    return AdviseDocument(
        read_at=survey.read_at,
        nodes=[NodePart.of(node, writes=node.uuid in writing) for node in survey.nodes],
        edges=[
            EdgePart(source=e.source, replica=e.replica, channel=e.channel, running=e.running, filtered=e.filtered)
            for e in survey.edges
        ],
        findings=[
            FindingPart(
                code=f.code,
                severity=f.severity.value,
                node=f.node,
                table=None if f.table is None else str(f.table),
                message=f.message,
                evidence=list(f.evidence),
                fix_sql=[line for fix in f.fixes for line in _lines(fix)],
                fixes=[FixPart(node=fix.where or None, sql=list(fix.sql), remark=fix.text or None) for fix in f.fixes],
            )
            for f in report.findings
        ],
        unknowns=list(survey.unknowns),
        plan=None if plan is None else RolloutPart.of(plan),
        changes=None if changes is None else ChangesPart.of(changes),
    )


def _lines(fix: Fix) -> list[str]:
    """Return a fix in lines; one that begins with ``--`` is a comment: where or when."""
    remark = [f"-- {fix.text}"] if fix.text else []
    return [*remark, *([f"-- on {fix.where}:"] if fix.where else []), *fix.sql]
