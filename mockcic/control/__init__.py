"""The control side: what people, tests and programs ask of a running server, on a listener no device reaches."""
