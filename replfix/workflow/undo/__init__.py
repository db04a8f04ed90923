"""A repair taken back, out of its record."""
