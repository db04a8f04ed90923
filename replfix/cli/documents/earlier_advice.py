"""What is read of an earlier ``replfix.advise/1``: little, so that versions that add to that document understand each other."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from replfix.core.advisor.changes import Mark


class _Node(BaseModel):
    name: str


class _Finding(BaseModel):
    code: str
    severity: Literal["critical", "warning", "info"]
    node: str | None
    table: str | None
    message: str


class EarlierAdvice(BaseModel):
    schema_name: Literal["replfix.advise/1"] = Field(alias="schema")
    read_at: datetime
    nodes: list[_Node]
    findings: list[_Finding]

    def marks(self) -> list[Mark]:
        """Return the findings of the earlier report, to be compared with those of now."""
        return [Mark(f.code, f.severity, f.node, f.table, f.message) for f in self.findings]
