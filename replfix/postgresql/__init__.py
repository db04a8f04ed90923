"""A PostgreSQL server, asked by ``explain``: psycopg is known here only, and installed only where it is wanted."""
