"""What the mock should do: the language, its loader, and the engine that lives one device's life."""
