"""What a human can do, with the statements. replfix runs none of it."""
