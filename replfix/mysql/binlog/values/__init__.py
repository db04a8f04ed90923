"""Values of columns in row events, both ways."""
