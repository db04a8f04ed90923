"""Puts the pieces together: from what the user named to servers, trail and clock."""
