"""A cause, a finding and what to do about them as blocks: written the same way in every report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.diagnosis.finding import Finding, Severity
from replfix.core.remedies.remedy import Fix
from replfix.present.page.page_model import (
    Block,
    Point,
    Script,
    Sentence,
    Span,
    Symbol,
    muted,
    name,
    points,
    strong,
    words,
)

_CONFIDENCE = {
    Confidence.HIGH: Symbol.CERTAIN,
    Confidence.MEDIUM: Symbol.LIKELY,
    Confidence.LOW: Symbol.POSSIBLE,
}
SEVERITY = {Severity.CRITICAL: Symbol.NO, Severity.WARNING: Symbol.WARNING, Severity.INFO: Symbol.REMARK}
CHECKED = SEVERITY | {Severity.INFO: Symbol.OK}
"""Where everything that is looked at is listed, what needs no doing is in order."""


def cause_blocks(cause: Cause) -> Iterator[Block]:
    """Yield the cause, its evidence, and what to do about it."""
    said = words(strong(cause.code), f" ({cause.confidence.value} confidence): {cause.summary}")
    yield Point(_CONFIDENCE[cause.confidence], said)
    yield from points(Symbol.FACT, cause.evidence, level=1)
    yield from fix_blocks(cause.fixes, level=1)


def finding_blocks(
    finding: Finding, symbols: Mapping[Severity, Symbol] = SEVERITY, *, coded: bool = False
) -> Iterator[Block]:
    """Yield the finding and its evidence, without what to do. ``coded``: with its code."""
    code: tuple[str | Span, ...] = (" ", muted(f"[{finding.code}]")) if coded else ()
    yield Point(symbols[finding.severity], words(finding.message, *code))
    yield from points(Symbol.FACT, finding.evidence, level=1)


def fix_blocks(fixes: Iterable[Fix], level: int = 0, symbol: Symbol = Symbol.NEXT) -> Iterator[Block]:
    """Yield what to do: a fix's words, where it is done if that is named, its statements as a client takes them."""
    for fix in fixes:
        if fix.text:
            yield Point(symbol, words(fix.text), level=level)
        if fix.where:
            yield Sentence(words("On ", name(fix.where), ":"), level=level)
        if fix.sql:
            yield Script(tuple(f"{statement};" for statement in fix.sql), level=level + 1)
