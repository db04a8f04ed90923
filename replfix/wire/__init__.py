"""What goes over the wire to a MySQL or MariaDB server, and the only place that opens a connection to one.

A server is not trusted more than it has to be: how long it may take, how much it may send and what it may ask for are limited
here, for everybody.
"""

from replfix.wire.connect import connect
from replfix.wire.guarded import CONNECT_SECONDS, MISSING_PACKAGE, Guarded

__all__ = ["CONNECT_SECONDS", "MISSING_PACKAGE", "Guarded", "connect"]
