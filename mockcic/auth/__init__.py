"""Codes and tokens and their lives: an authorization server without a socket or a clock (PROTOCOL section 6)."""
