"""The only place where the pieces meet: investigate, resolve."""
