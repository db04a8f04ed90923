"""Transactions after the failing one: read as one run, and planned together with it."""
