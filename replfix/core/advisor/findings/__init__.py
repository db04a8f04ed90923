"""One finding a file, found by being there.

Each module has ``CODE`` (stable for scripts) and ``examine(survey) -> Iterable[Finding]``: nothing where all is well or where
what it needs could not be read, which ``Survey.unknowns`` then says.
"""
