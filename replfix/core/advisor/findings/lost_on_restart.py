"""A restart changes increment or offset: only the running server was told, or only its files."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.advisor.finding import Finding, Severity
from replfix.core.advisor.node import Setting
from replfix.core.advisor.spacing import settle
from replfix.core.advisor.survey import Survey
from replfix.core.advisor.writers import circle_of, writers

CODE = "lost-on-restart"


def examine(survey: Survey) -> Iterator[Finding]:
    for node in writers(survey):
        if len(circle_of(survey, node)) < 2:
            continue
        told = [
            said
            for name, setting in (
                ("auto_increment_increment", node.increment),
                ("auto_increment_offset", node.offset),
            )
            if (said := _changes(name, setting))
        ]
        if told:
            yield Finding(
                CODE,
                Severity.WARNING,
                f"A restart of {node.name} changes the numbers that it hands out.",
                node=node.name,
                evidence=tuple(told),
                fix_sql=settle(node, node.step),
            )


def _changes(name: str, setting: Setting) -> str:
    following = setting.after_restart
    if following is not None and following != setting.now:
        where = "SET PERSIST or SET PERSIST_ONLY" if setting.persisted is not None else setting.path or setting.origin
        return f"{name} is {setting.now}, and {following} after a restart ({where})."
    if following is None and setting.origin == "session" and setting.now != setting.default:
        return (
            f"{name} is {setting.now} by SET GLOBAL, and nothing is persisted. Whether an option file says the same, the "
            "server does not tell."
        )
    return ""
