"""A blind listening test as one page."""
