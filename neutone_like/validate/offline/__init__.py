"""The checks of artifacts that are not real-time: one file for each kind; a check takes a context."""
