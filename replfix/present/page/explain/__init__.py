"""What `replfix explain` reports: one error, or the errors of a log."""
