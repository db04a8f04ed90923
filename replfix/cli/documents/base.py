"""What every document has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


def _printed_name(name: str) -> str:
    """``schema`` is a name that pydantic keeps for itself, ``class`` one that Python does."""
    return {"schema_name": "schema", "schema_": "schema", "class_": "class"}.get(name, name)


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, alias_generator=_printed_name)


class Document(Part):
    """A subclass declares ``schema_name: Literal["replfix.<name>/<version>"]``, which is printed as ``schema``."""
