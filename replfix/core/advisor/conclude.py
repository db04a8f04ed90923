"""From what was read to the report."""

from __future__ import annotations

from replfix.core.advisor import findings
from replfix.core.advisor.survey import Report, Survey
from replfix.core.discover import modules_of


def conclude(survey: Survey) -> Report:
    found = [finding for module in modules_of(findings) for finding in module.examine(survey)]
    found.sort(key=lambda f: (f.severity.order, f.code, str(f.table or ""), f.node or ""))
    return Report(survey, tuple(found))
