"""What ``doctor`` checks: each check is one function from facts to a Check, or to None where it does not apply.

``REPLICA``, ``SOURCE`` and ``CHANNEL`` list them, in the order in which they are shown.
"""
