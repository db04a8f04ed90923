"""A report of the advisor for people: ``page`` puts it in order, ``text``, ``markdown`` and ``html`` write that down."""
