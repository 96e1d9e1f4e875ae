"""Where faults act: on a connection's frames, on a stream's messages, on what a listener accepts."""
