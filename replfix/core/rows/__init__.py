"""Values of rows, and how rows are looked up and compared."""
