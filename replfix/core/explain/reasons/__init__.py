"""Why a duplicate-key error comes: one reason a file, with ``CODE``, ``RANK`` (the lower first) and ``examine(case)``."""
