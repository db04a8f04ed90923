"""One plan: rehearsed, carried out and verified, until the replica is past the transaction."""
