"""One family of errors a file: the numbers, what they mean, what replfix does and what is left to a human.

A module defines ``FAMILY``; where more can be said once the evidence of an incident is there, ``advise(evidence)`` too.
Each family has its page in docs/errors/.
"""
