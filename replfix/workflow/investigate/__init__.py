"""From a stopped channel to its evidence. Changes nothing."""
