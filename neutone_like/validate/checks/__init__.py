"""One file for each kind of check; a check takes a context and returns an outcome."""
