"""Amazon RDS for MySQL and Aurora MySQL.

Source: the user guide's reference of stored procedures. An end is refused with several workers, and a channel of which
anything runs has to be stopped before; two seconds after a start the procedure looks, and takes a channel that has come to
its end already for one that failed: it says so with an error of its own.
"""

from __future__ import annotations

from replfix.mysql.connection.managed.procedures import Procedures

PROCEDURES = Procedures(
    cloud="Amazon RDS",
    start="rds_start_replication",
    stop="rds_stop_replication",
    until_gtid="rds_start_replication_until_gtid",
    until="rds_start_replication_until",
    for_channel="_for_channel",
    serial_until=True,
)
