"""Where rows are written on a server."""
