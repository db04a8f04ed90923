"""One strategy a file: from diagnosis to plan."""
