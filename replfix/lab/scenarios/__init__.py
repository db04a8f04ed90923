"""One scenario a file: how replication is broken, and what diagnosis that must lead to."""
