"""Loads an artifact, and trusts nothing in it that was not checked."""
