"""What a duplicate-key error says, wherever its text was found: recognised, taken apart, and what it can mean."""
