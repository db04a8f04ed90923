"""Rows that foreign keys tie to those of a transaction: parents, children, cascades."""
