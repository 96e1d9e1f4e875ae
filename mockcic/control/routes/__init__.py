"""The endpoints of the control API, a file a subject."""
