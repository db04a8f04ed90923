"""Reading a server's binary log: the only place that knows its events, and the only import of pymysqlreplication.

``stream`` (bytes from the server) → ``log`` (checked events) → ``transaction`` (assembled, decoded by ``rows``).
Source: MySQL internals manual, "Replication Protocol" and "Binary Log", checked against mysqlbinlog 9.7.
"""

from replfix.mysql.binlog.events.pieces import pieces
from replfix.mysql.binlog.reader import BinlogReader, log_dialect
from replfix.mysql.binlog.relay_log import relayed

__all__ = ["BinlogReader", "log_dialect", "pieces", "relayed"]
