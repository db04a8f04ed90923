"""Servers that lie, and wires on which somebody else is: what replfix gives away, waits for, takes in and does for them."""
