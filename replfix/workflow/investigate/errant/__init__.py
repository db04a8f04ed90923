"""Transactions that only the replica has: found, followed to the source, and compared row by row."""
