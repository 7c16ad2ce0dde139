"""The verb ``play``: what it takes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from neutone_like.cli.arguments import numbers_of, split_assignments
from neutone_like.cli.common import ARTIFACT_HELP, MODEL, AllowOperators, AsJson, Param, operators_of, wrong_use

DEVICE = "The device"
FILES = "Recordings"
MIDI = "MIDI"
_MOST_CHANNELS = 1024
_OF_MEASURING = ("device", "input_device", "output_device", "rate", "block", "inputs", "outputs", "portaudio")


def play(
    context: typer.Context,
    path: Annotated[
        Path | None,
        typer.Argument(metavar="[PATH]", exists=True, help=ARTIFACT_HELP),
    ] = None,
    list_devices: Annotated[
        bool,
        typer.Option("--list-devices", help="Print the devices there are, and play nothing.", rich_help_panel=DEVICE),
    ] = False,
    measure_latency: Annotated[
        bool,
        typer.Option(
            "--measure-latency",
            help="Measure the way from output to input, with a cable between them, and play nothing else.",
            rich_help_panel=DEVICE,
        ),
    ] = False,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|NUMBER", help="To hear and to play on [default: the system's].", rich_help_panel=DEVICE
        ),
    ] = None,
    input_device: Annotated[
        str | None, typer.Option(metavar="NAME|NUMBER", help="To hear, if another.", rich_help_panel=DEVICE)
    ] = None,
    output_device: Annotated[
        str | None, typer.Option(metavar="NAME|NUMBER", help="To play on, if another.", rich_help_panel=DEVICE)
    ] = None,
    rate: Annotated[
        int | None, typer.Option(metavar="HZ", min=1, help="[default: the device's own].", rich_help_panel=DEVICE)
    ] = None,
    block: Annotated[
        int | None,
        typer.Option(
            metavar="SAMPLES", min=1, help="Of a callback [default: as the device likes it].", rich_help_panel=DEVICE
        ),
    ] = None,
    inputs: Annotated[
        str | None,
        typer.Option(metavar="N,...", help="Channels to hear, counted from 1 [default: 1,2].", rich_help_panel=DEVICE),
    ] = None,
    outputs: Annotated[
        str | None,
        typer.Option(metavar="N,...", help="Channels to play on, from 1 [default: 1,2].", rich_help_panel=DEVICE),
    ] = None,
    latency_ms: Annotated[
        float | None,
        typer.Option(
            metavar="MS", min=0.0, help="To ask of the device, each way [default: its least].", rich_help_panel=DEVICE
        ),
    ] = None,
    portaudio: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            help="PortAudio's library [default: sounddevice's, or the system's].",
            rich_help_panel=DEVICE,
        ),
    ] = None,
    param: Param = None,
    mode: Annotated[
        Literal["auto", "inline", "async"],
        typer.Option(
            metavar="auto|inline|async",
            help="In the callback, or on a worker with more latency; auto measures.",
            rich_help_panel=MODEL,
        ),
    ] = "auto",
    backend: Annotated[
        Literal["auto", "compiled", "torchscript", "onnxruntime", "litert"],
        typer.Option(
            metavar="auto|compiled|torchscript|onnxruntime|litert", help="What computes.", rich_help_panel=MODEL
        ),
    ] = "auto",
    seconds: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0.0, help="How long [default: until Ctrl-C].")
    ] = None,
    record_input: Annotated[
        Path | None, typer.Option(metavar="FILE.wav", help="Record what comes in.", rich_help_panel=FILES)
    ] = None,
    record_output: Annotated[
        Path | None, typer.Option(metavar="FILE.wav", help="Record what goes out.", rich_help_panel=FILES)
    ] = None,
    midi: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|NUMBER|virtual",
            help="An input whose controls move parameters; virtual opens one of its own.",
            rich_help_panel=MIDI,
        ),
    ] = None,
    midi_map: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where learnt controls are kept [default: ~/.config/neutone-like/midi.json].",
            rich_help_panel=MIDI,
        ),
    ] = None,
    list_midi: Annotated[
        bool, typer.Option("--list-midi", help="Print the MIDI inputs there are.", rich_help_panel=MIDI)
    ] = False,
    allow_operators: AllowOperators = "",
    as_json: AsJson = False,
) -> None:
    """Play a live model on a sound card.

    While it plays, lines on stdin set parameters: drive=24. learn drive gives it the next MIDI control that moves;
    help lists what else there is. Ctrl-C stops; a report follows. Exit code 1 means that the device went away, or that
    there is none; recordings are kept.

    \b
    Example: neutone-like play exported/lstm_amp --device JACK --record-output take1.wav
    Example: neutone-like play exported/lstm_amp --midi "nanoKONTROL2" --seconds 3600
    Example: neutone-like play --list-devices
    """
    from neutone_like.cli.playing import play_model, print_devices, print_midi_inputs, print_round_trip

    if list_midi:
        _require_alone(context, "list_midi", ())
        return print_midi_inputs(as_json)
    if list_devices:
        _require_alone(context, "list_devices", ("portaudio",))
        return print_devices(portaudio, as_json)
    if midi is None and midi_map is not None:
        raise wrong_use("it belongs to --midi, which is not given", "--midi-map")
    if path is None and not measure_latency:
        raise wrong_use("a model to play, or --list-devices, is missing", "PATH")
    if path is not None and measure_latency:
        raise wrong_use("the device alone is measured, without a model", "--measure-latency")
    if measure_latency:
        _require_alone(context, "measure_latency", _OF_MEASURING)
    chosen: dict[str, Any] = {
        "device": device,
        "input_device": input_device,
        "output_device": output_device,
        "sample_rate": rate,
        "block_size": block,
        "latency_seconds": None if latency_ms is None else latency_ms / 1000.0,
        "portaudio": portaudio,
        "mode": mode,
        "backend": backend,
        "record_input": record_input,
        "record_output": record_output,
    }
    try:
        chosen["parameters"], _ = split_assignments(param or [], [])
        for name, text in (("inputs", inputs), ("outputs", outputs)):
            if text is not None:
                chosen[name] = numbers_of(f"--{name}", text, _MOST_CHANNELS)
    except ValueError as error:
        raise wrong_use(error) from error
    if path is None:
        return print_round_trip(chosen, as_json)
    play_model(_model_at(path, operators_of(allow_operators)), chosen, (midi, midi_map), seconds, as_json)


def _model_at(path: Path, allowed: Sequence[str]) -> Any:
    """What is played: an artifact, if it may do more than others; else whatever lies there."""
    if not allowed:
        return path
    from neutone_like.artifact import load_artifact

    return load_artifact(path, allow_operators=allowed)


def _require_alone(context: typer.Context, what: str, used: Sequence[str]) -> None:
    """No option is ignored in silence."""
    for name in context.params:
        source = context.get_parameter_source(name)
        given = source is not None and source.name == "COMMANDLINE"
        if given and name not in (what, "as_json", *used):
            option = "PATH" if name == "path" else f"--{name.replace('_', '-')}"
            raise wrong_use(f"--{what.replace('_', '-')} plays no model and does not use it", option)
