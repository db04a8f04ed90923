"""Definitions of tables, and filters by table."""
