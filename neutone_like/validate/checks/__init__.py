"""One file for each kind of check; a check takes a subject and returns an outcome."""
