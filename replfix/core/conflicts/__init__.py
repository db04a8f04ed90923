"""A transaction held against the rows of a replica: what is in its way."""
