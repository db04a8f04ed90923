"""A restart changes increment or offset: only the running server has the new value, or only its files."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.advisor.node import Setting
from replfix.core.advisor.spacing import settle
from replfix.core.advisor.survey import Survey
from replfix.core.advisor.writers import circle_of, writers
from replfix.core.diagnosis.finding import Finding, Severity

CODE = "lost-on-restart"


def examine(survey: Survey) -> Iterator[Finding]:
    for node in writers(survey):
        if len(circle_of(survey, node)) < 2:
            continue
        settings = (("auto_increment_increment", node.increment), ("auto_increment_offset", node.offset))
        changing = tuple(_changes(name, s) for name, s in settings if s.after_restart not in (None, s.now))
        hidden = tuple(_hidden(name, s) for name, s in settings if s.after_restart is None and s.now != s.default)
        if changing or hidden:
            # On MariaDB only a restart shows whether it was put right: it has no SET PERSIST.
            sure = bool(changing) or not node.mariadb
            yield Finding(
                CODE,
                Severity.WARNING if sure else Severity.INFO,
                f"A restart of {node.name} {'changes' if changing else 'may change'} the numbers that it generates.",
                node=node.name,
                evidence=changing + hidden,
                fixes=settle(node, node.step),
            )


def _changes(name: str, setting: Setting) -> str:
    where = "SET PERSIST or SET PERSIST_ONLY" if setting.persisted is not None else setting.path or setting.origin
    return f"{name} is {setting.now}, and {setting.after_restart} after a restart ({where})."


def _hidden(name: str, setting: Setting) -> str:
    if setting.origin != "session":
        return f"{name} is {setting.now}; where that is from, the server does not show."
    return (
        f"{name} is {setting.now} by SET GLOBAL, and nothing is persisted. Whether an option file says the same, the server "
        "does not show."
    )
