"""One strategy a file: from evidence to a plan, or to the reason why there is none.

Each module has ``NAME``, ``SUMMARY``, ``RANK`` (the lowest is offered first) and ``propose(evidence) -> Proposal``.
"""
