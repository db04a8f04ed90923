"""Row values in documents: the forms that the contract names."""

from __future__ import annotations

from pydantic import JsonValue

from replfix.cli.documents.base import Part

RowDocument = dict[str, JsonValue]
"""A row by column name. Decimals and times are strings, bytes ``{"base64": …}``, a column that the event did not log
``{"not_logged": true}``."""


class NotReadPart(Part):
    not_read: str  # why
