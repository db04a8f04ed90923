"""Where servers come from: one way a file, tried in order of how little they cost."""
