"""What the source has, and whether it can be written on."""
