"""The protocol as values: messages, facts, the catalogue."""
