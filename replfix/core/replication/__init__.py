"""The state of replication: GTIDs, channels, applier errors, threads."""
