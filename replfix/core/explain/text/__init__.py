"""What clients and logs do to a message on its way into a text, undone."""
