"""The simulated device, our opposite number; it never imports the server."""
