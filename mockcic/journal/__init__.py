"""What happened, bounded."""
