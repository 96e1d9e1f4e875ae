"""Bytes to parts and parts to bytes: multipart without CIC and without I/O."""
