"""A session on a server, in the words of its product and its cloud."""
