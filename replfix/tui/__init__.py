"""The terminal UI: screens over the workflow; nothing about replication is decided here."""
