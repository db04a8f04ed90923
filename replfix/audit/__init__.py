"""The append-only, hash-chained trail of what replfix did."""
