"""Distilling: a small model learns from what a large one makes of sound."""
