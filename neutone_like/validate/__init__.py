"""The checks an artifact must pass, and their report."""
