"""What a PostgreSQL server's answer adds to the reasons: called by the reason's own module."""
