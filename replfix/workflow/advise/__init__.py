"""What 'advise' reads."""
