"""What is read from a server. Nothing here changes anything."""
