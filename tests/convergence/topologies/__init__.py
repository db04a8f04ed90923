"""Worlds of several servers: two primaries, a ring of three, a chain, and a replica of two sources. Their tables are simple; what varies
is who writes what, where what is resolved first, and with which strategy."""
