"""What replfix knows about replication: no I/O, no clock, no driver, no screen."""
