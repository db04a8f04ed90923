"""Real MySQL servers: the ports of replfix, implemented on PyMySQL."""
