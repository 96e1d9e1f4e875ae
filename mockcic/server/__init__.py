"""The ring of I/O: HTTP/2, TLS, routes, devices, the clock."""
