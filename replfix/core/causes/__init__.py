"""One cause a file: what evidence it needs, what it concludes."""
