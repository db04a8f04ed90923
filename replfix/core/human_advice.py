"""What a human can do about an error: what its family says once the evidence is there."""

from __future__ import annotations

from replfix.core import known_errors, prepared_xa
from replfix.core.discover import modules_of
from replfix.core.evidence import Evidence
from replfix.core.remedy import Remedy
from replfix.core.rows_in_the_way import beside_statements


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    """Nothing for a row conflict that a strategy answers."""
    if known := beside_statements(evidence) or prepared_xa.advise(evidence):
        return known
    family = evidence.family
    if family is None:
        return (Remedy(f"replfix knows nothing about error {evidence.error.errno}: the server's message has to do."),)
    for module in modules_of(known_errors):
        if module.FAMILY is family and hasattr(module, "advise"):
            found: tuple[Remedy, ...] = module.advise(evidence)
            return found
    return (Remedy(family.human),)
