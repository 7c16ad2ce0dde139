"""Other people's model files, as live models."""

from neutone_like.importers.loading import load_nam

__all__ = ["load_nam"]
