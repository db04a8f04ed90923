"""The documentation, installed with the program: docs/ is in the wheel, as ``replfix/docs``."""
