"""Incidents of servers that follow each other in a circle, in a chain, or several at once."""
