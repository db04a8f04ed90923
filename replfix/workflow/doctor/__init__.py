"""What 'doctor' reads."""
