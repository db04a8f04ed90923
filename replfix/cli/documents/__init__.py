"""The JSON documents that the commands print: pydantic models, versioned by their ``schema``."""
