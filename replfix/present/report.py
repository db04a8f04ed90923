"""One incident as Markdown, for the ticket."""

from __future__ import annotations

from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.plan.outcome import Outcome
from replfix.present.page.detail import REPORT
from replfix.present.page.incident_page import incident_page
from replfix.present.page.markdown_page import markdown


def incident_report(name: str, diagnosis: Diagnosis, outcome: Outcome | None = None) -> str:
    """Return what happened on the replica ``name``, why, what can be done and what was done, as Markdown."""
    return markdown(incident_page(name, diagnosis, outcome=outcome, with_undo_sql=True, detail=REPORT))
