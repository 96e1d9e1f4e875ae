"""A desk a subject: what can be done with it on a running server, in that server's own loop."""
