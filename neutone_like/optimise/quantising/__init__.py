"""Weights in fewer bits, chosen, rounded, trained for, and measured."""
