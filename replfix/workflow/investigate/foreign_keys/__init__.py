"""Rows that foreign keys tie to those of a transaction, asked of both servers."""
