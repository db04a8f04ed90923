"""Azure Database for MySQL, data-in replication. Source: its how-to; there are no named channels, and no end."""

from __future__ import annotations

from replfix.mysql.connection.managed.procedures import Procedures

PROCEDURES = Procedures(cloud="Azure Database", start="az_replication_start", stop="az_replication_stop")
