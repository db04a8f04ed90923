"""What 'doctor' checks."""
