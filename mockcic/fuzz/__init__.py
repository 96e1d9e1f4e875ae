"""Directives made wrong on purpose, and made small again: pure, and the same for the same seed on every machine."""
