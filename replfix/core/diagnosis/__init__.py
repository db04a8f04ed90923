"""Why replication stopped: causes, and the diagnosis that names them."""
