"""What the workflow needs from servers, the audit trail and the clock: Protocols, implemented in ``mysql/`` and ``audit/``.

A test may put a fake in the place of a port. The implementations are tested on real servers.
"""

from __future__ import annotations

from replfix.ports.clock import Clock, Progress
from replfix.ports.inquiry import Inquiry
from replfix.ports.key_spaces import KeySpaces
from replfix.ports.postgresql_inquiry import PostgresqlInquiry
from replfix.ports.servers import Replica, Server, SourceOf
from replfix.ports.trail import Trail, TrailToRead
from replfix.ports.writing import BacklogRehearsal, Repair, Writing

__all__ = [
    "BacklogRehearsal",
    "Clock",
    "Inquiry",
    "KeySpaces",
    "PostgresqlInquiry",
    "Progress",
    "Repair",
    "Replica",
    "Server",
    "SourceOf",
    "Trail",
    "TrailToRead",
    "Writing",
]
