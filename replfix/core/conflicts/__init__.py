"""A transaction compared with the rows of a replica: what blocks it."""
