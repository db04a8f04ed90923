"""One cause a file: what evidence it needs, what it concludes.

Each module has ``CODE``, ``RANK`` (of two causes with the same confidence the lower rank explains more and comes
first) and ``examine(evidence) -> Cause | None``.
"""
