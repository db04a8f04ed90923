"""``replfix.error/1``: what a command with ``--json`` prints when it ends in an error."""

from __future__ import annotations

from typing import Literal

from replfix.cli.documents.base import Document, Part


class ErrorBody(Part):
    message: str
    hint: str
    exit_code: int


class ErrorDocument(Document):
    schema_name: Literal["replfix.error/1"] = "replfix.error/1"
    error: ErrorBody

    @classmethod
    def of(cls, message: str, hint: str, exit_code: int) -> ErrorDocument:
        return cls(error=ErrorBody(message=message, hint=hint, exit_code=exit_code))
