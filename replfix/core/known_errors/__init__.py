"""Errors that stop replication, by families, and what a human does about each."""
