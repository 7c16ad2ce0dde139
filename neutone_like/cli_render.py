"""The verb ``render``: what it takes, what it says, what it exits with."""

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer

from neutone_like.cli_arguments import MAXIMUM_RATE, read_points, split_assignments, typed_value
from neutone_like.cli_common import FELL_SHORT, AsJson, ending_in_order, print_json
from neutone_like.errors import AudioError, ParameterError


def render(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", exists=True, help="A .nm file, or the folder that holds model.nm.")
    ],
    source: Annotated[Path, typer.Argument(metavar="INPUT", exists=True, dir_okay=False, help="An audio file.")],
    target: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The file to write; its ending chooses the format.")],
    param: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A parameter in its own unit, or a label.")
    ] = None,
    automation: Annotated[
        list[str] | None, typer.Option(metavar="NAME=FILE.csv", help="A parameter's curve: lines of seconds,value.")
    ] = None,
    wet: Annotated[float | None, typer.Option(help="The model's share, 0..1 [default: the artifact's].")] = None,
    dry: Annotated[float | None, typer.Option(help="The input's share, 0..1 [default: the artifact's].")] = None,
    input_gain_db: Annotated[float | None, typer.Option(help="-30..30 dB [default: the artifact's].")] = None,
    output_gain_db: Annotated[float | None, typer.Option(help="-30..30 dB [default: the artifact's].")] = None,
    out_sample_rate: Annotated[
        int | None, typer.Option(min=1, max=MAXIMUM_RATE, help="In Hz [default: the input's].")
    ] = None,
    bit_depth: Annotated[int | None, typer.Option(help="Of WAV (32 is floating point), AIFF and FLAC.")] = None,
    quality: Annotated[str | None, typer.Option(help="Of MP3 and Ogg Vorbis, such as V2, 320 or best.")] = None,
    progress: Annotated[bool, typer.Option("--progress/--no-progress", help="A bar on stderr.")] = True,
    as_json: AsJson = False,
) -> None:
    """Render an audio file through an artifact; the output is as long as the input and aligned with it.

    \b
    Example: neutone-like render exported/overdrive/model.nm in.wav out.wav --param drive=24
    """
    from neutone_like.artifact import load_artifact
    from neutone_like.render import render_file
    from neutone_like.render.audio_writer import EncodingError, require_writable

    try:
        require_writable(target, source)
    except AudioError as error:
        raise typer.BadParameter(str(error), param_hint="OUTPUT") from error
    artifact = load_artifact(model)
    try:
        with ending_in_order(), redirect_stdout(sys.stderr):
            result = render_file(
                artifact,
                source,
                target,
                params=_parameters(artifact, param or [], automation or []),
                wet=wet,
                dry=dry,
                input_gain_db=input_gain_db,
                output_gain_db=output_gain_db,
                out_sample_rate=out_sample_rate,
                bit_depth=bit_depth,
                quality=quality,
                progress=progress,
            )
    except (ParameterError, EncodingError) as error:
        raise typer.BadParameter(str(error)) from error
    if as_json:
        print_json(result.to_dict())
    else:
        typer.echo(result.summary())
    for warning in result.warnings():
        typer.echo(f"Warning: {warning}", err=True)
    if result.nonfinite_samples:
        raise typer.Exit(FELL_SHORT)


def _parameters(artifact: Any, params: list[str], automations: list[str]) -> dict[str, Any]:
    """What ``--param`` and ``--automation`` say, by name.

    Raises:
        typer.BadParameter: Not ``name=value``, a name twice, or a file that holds no curve.
        ParameterError: An unknown name.
    """
    from neutone_like.artifact.parameter_values import check_names

    try:
        constants, curves = split_assignments(params, automations)
        check_names(artifact.parameters, {**constants, **curves})
        by_name = {parameter.name: parameter for parameter in artifact.parameters}
        values: dict[str, Any] = {name: typed_value(by_name[name], text) for name, text in constants.items()}
        for name, file in curves.items():
            values[name] = [(seconds, typed_value(by_name[name], text)) for seconds, text in read_points(Path(file))]
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return values
