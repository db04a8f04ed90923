"""What keeps the key spaces of several writers apart: what is read of a topology, and what is found in it.

Shapes: ``node`` (one server), ``survey`` (all of them, and the report), ``finding``. ``writers`` says who writes where.
"""
