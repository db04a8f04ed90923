"""One cause a file: what evidence it needs, what it concludes.

Each module has ``CODE``, ``RANK`` (of two causes with the same confidence the lower rank explains more and comes
first) and ``examine(evidence) -> Cause | None``. ``SAYS_ONLY_WHAT = True``: it says how the rows stand, not why, and comes
behind every cause that does, unless that one's confidence is low. ``BEYOND_ROWS = True``: it is asked about every error, not
only about those that rows explain.
"""
