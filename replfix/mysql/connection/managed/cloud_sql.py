"""Google Cloud SQL, replicas of external servers. Source: its guide to custom imports; no named channels, and no end."""

from __future__ import annotations

from replfix.mysql.connection.managed.procedures import Procedures

PROCEDURES = Procedures(cloud="Cloud SQL", start="startReplication", stop="stopReplication")
