"""The backlog of a channel, looked at before the applier comes to it."""
