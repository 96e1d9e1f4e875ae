"""Was it right: verifications over the journal. No I/O but for values too long for a text."""
