"""From what was read to the report."""

from __future__ import annotations

from replfix.core.advisor.findings import FINDINGS
from replfix.core.advisor.survey import Report, Survey


def conclude(survey: Survey) -> Report:
    """Return the report: every finding of every rule, the worst first."""
    found = [finding for rule in FINDINGS for finding in rule.examine(survey)]
    found.sort(key=lambda f: (f.severity.order, f.code, str(f.table or ""), f.node or ""))
    return Report(survey, tuple(found))
