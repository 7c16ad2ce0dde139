"""Artifacts in the formats of other engines."""
