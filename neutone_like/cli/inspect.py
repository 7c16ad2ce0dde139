"""The verb ``inspect``."""

import json

import typer

from neutone_like.cli.common import ArtifactPath, AsJson, print_tables


def inspect(path: ArtifactPath, as_json: AsJson = False) -> None:
    """Show an artifact's metadata.

    And whether there is a compiled model beside it. Nothing in the artifact is run.

    \b
    Example: neutone-like inspect exported/overdrive/model.nm
    """
    from neutone_like.artifact import read_metadata
    from neutone_like.artifact.format.schema import OfflineMetadata
    from neutone_like.artifact.reading.metadata_reading import resolve
    from neutone_like.cli.compiled_facts import compiled_facts, in_words

    metadata = read_metadata(path)
    file = resolve(path)
    compiled = compiled_facts(file)
    if as_json:
        content = json.loads(metadata.to_json())
        typer.echo(json.dumps({**content, "compiled": compiled} if compiled else content, indent=1))
        return
    from neutone_like.cli.metadata_tables import metadata_tables

    one_shot = isinstance(metadata, OfflineMetadata) and metadata.is_one_shot_model
    said = in_words(compiled, file) if compiled or not one_shot else "no; a one-shot model is called once"
    print_tables(*metadata_tables(metadata, said))
