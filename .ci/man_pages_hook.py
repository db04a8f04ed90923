"""Puts the man pages that `make man` has made into the wheel, as share/man. Without them the wheel is built without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManPages(BuildHookInterface):  # type: ignore[misc, type-arg, unused-ignore]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        made = Path(self.root) / "build" / "man"
        for section in sorted(made.glob("man[17]")):
            build_data["shared_data"][str(section)] = f"share/man/{section.name}"
