"""What every document has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


def _printed_name(name: str) -> str:
    """Return the name in JSON: pydantic keeps ``schema`` for itself, Python ``class``."""
    return {"schema_name": "schema", "schema_": "schema", "class_": "class"}.get(name, name)


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, alias_generator=_printed_name)


class Document(Part):
    """A subclass declares ``schema_name: Literal["replfix.<name>/<version>"]``, which is printed as ``schema``."""
