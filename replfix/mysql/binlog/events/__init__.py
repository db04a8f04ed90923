"""One event each: from bytes to what it says, and back."""
