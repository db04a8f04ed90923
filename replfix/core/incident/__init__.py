"""What is gathered about one incident, before anything is concluded from it."""
