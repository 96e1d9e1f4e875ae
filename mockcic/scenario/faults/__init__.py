"""Trouble on purpose, as it is written: what goes wrong, where, when, how often (docs/faults.md)."""
