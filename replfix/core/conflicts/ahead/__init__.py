"""Conflicts that wait in the backlog, found before they stop the replica."""
