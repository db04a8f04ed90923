"""What every document has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Document(Part):
    """A subclass declares ``schema_name: Literal["replfix.<name>/<version>"]``; it is printed as ``schema``, a name
    that pydantic keeps for itself."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        alias_generator=lambda name: "schema" if name == "schema_name" else name,
    )
