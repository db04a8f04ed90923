"""How a server is reached, and what an account may do there."""
