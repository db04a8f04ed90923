"""What 'explain' reads."""
