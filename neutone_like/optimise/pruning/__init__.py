"""Smaller networks of the same kind: what depends on what, what is least worth, and what is left of it."""
