"""The verb ``inspect``."""

import typer

from neutone_like.cli.common import ArtifactPath, AsJson, print_tables


def inspect(path: ArtifactPath, as_json: AsJson = False) -> None:
    """Show an artifact's metadata.

    Nothing in the artifact is run.

    \b
    Example: neutone-like inspect exported/overdrive/model.nm
    """
    from neutone_like.artifact import read_metadata

    metadata = read_metadata(path)
    if as_json:
        typer.echo(metadata.to_json())
        return
    from neutone_like.cli.metadata_tables import metadata_tables

    print_tables(*metadata_tables(metadata))
