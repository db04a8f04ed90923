"""A plan: what it is made of, whether it is still valid, and what came of it."""
