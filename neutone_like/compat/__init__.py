"""Interfaces of other tools, for bringing old work here. Nothing else in this package imports them."""
