"""replfix: a replication conflict resolver for MySQL replicas."""

__version__ = "0.1.0"
