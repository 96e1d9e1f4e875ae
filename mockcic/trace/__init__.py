"""What happened, as something to keep and to look at: the trace file, the dialogue, pictures, the difference of two."""
