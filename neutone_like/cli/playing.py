"""The verb ``play`` at work."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import typer

from neutone_like.cli.common import FELL_SHORT, print_json, printable
from neutone_like.cli.console import Console
from neutone_like.errors import NeutoneLikeError
from neutone_like.model import CategoricalParameter, NumericalParameter
from neutone_like.runtime.live import LiveStatus, LiveStream, MidiKnobs, devices, measure_round_trip, midi_inputs
from neutone_like.runtime.live.midi import open_port
from neutone_like.runtime.live.midi_map import read_controls, usual_file

_REFRESH_SECONDS = 0.1
_BAR_DB = 60.0  # below full scale, where the bar begins
_BAR_LETTERS = 12
HELP = "NAME=VALUE sets a parameter; knobs shows them all; status; reset clears the model's state; quit"
MIDI_HELP = "learn NAME gives it the next MIDI control that moves; forget NAME"


def print_devices(portaudio: Path | None, as_json: bool) -> None:
    """``--list-devices``."""
    found = devices(portaudio=portaudio)
    if as_json:
        return print_json([device.to_dict() for device in found])
    for device in found:
        default = " ".join(
            word
            for word, holds in (
                ("default input", device.is_default_input),
                ("default output", device.is_default_output),
            )
            if holds
        )
        line = (
            f"{device.index}: {device}, {device.max_input_channels} in, {device.max_output_channels} out, "
            f"{device.default_sample_rate:g} Hz{f', {default}' if default else ''}"
        )
        typer.echo(printable(line))
    if not found:
        typer.echo("There is no audio device. Plug one in, or start a sound server (JACK, PipeWire).")


def print_midi_inputs(as_json: bool) -> None:
    """``--list-midi``."""
    found = midi_inputs()
    if as_json:
        return print_json(list(found))
    for number, name in enumerate(found):
        typer.echo(printable(f"{number}: {name}"))
    if not found:
        typer.echo("There is no MIDI input. Plug one in, or play with --midi virtual.")


def print_round_trip(chosen: Mapping[str, Any], as_json: bool) -> None:
    """``--measure-latency``."""
    names = ("device", "input_device", "output_device", "sample_rate", "block_size", "inputs", "outputs", "portaudio")
    measured = measure_round_trip(**{name: chosen[name] for name in names if name in chosen})
    if as_json:
        return print_json(measured.to_dict())
    for line in measured.lines():
        typer.echo(line)


def play_model(
    model: Any,
    chosen: Mapping[str, Any],
    midi: tuple[str | None, Path | None],
    seconds: float | None,
    as_json: bool,
) -> None:
    """Until the time is over, Ctrl-C, ``quit``, or the device is gone."""
    wanted, file = midi
    port = None
    if wanted is not None:  # before recordings are begun, which a second try would find in its way
        read_controls(usual_file() if file is None else file, "")
        port = open_port(wanted)
    with LiveStream(model, **chosen) as live:
        try:
            with ExitStack() as ending:
                knobs = None if port is None else ending.enter_context(MidiKnobs(live, port, file=file))
                console = ending.enter_context(Console())
                _introduce(live, console, knobs)
                _run(live, console, knobs, seconds)
        except KeyboardInterrupt:
            pass  # the usual way to stop
        report = live.close()
    if as_json:
        print_json(report.to_dict())
    else:
        for line in report.lines():
            typer.echo(printable(line))
    if report.is_lost or any(each.error for each in report.recordings):
        if report.is_lost and as_json:
            typer.echo("The device went away.", err=True)
        raise typer.Exit(FELL_SHORT)


def _introduce(live: LiveStream, console: Console, knobs: MidiKnobs | None) -> None:
    session = live.session
    console.say(
        f"{session.name} plays on {live.output_device}, hears {live.input_device}: {live.sample_rate} Hz, blocks of "
        f"{live.block_size}; {session.backend_name}, {session.settings.mode}"
    )
    device = live.device_latency_seconds
    known = "unknown" if device is None else f"{1000.0 * device:.1f} ms"
    console.say(
        f"Latency: model {session.latency_samples} samples ({1000.0 * session.latency_samples / live.sample_rate:.1f} "
        f"ms), device {known}. {HELP}."
    )
    if knobs is not None:
        console.say(f"MIDI from {knobs.name}. {MIDI_HELP}.")
        for control in knobs.controls:
            console.say(f"  {control.parameter} is moved by {control}")
    _say_knobs(live, console)


def _run(live: LiveStream, console: Console, knobs: MidiKnobs | None, seconds: float | None) -> None:
    end = None if seconds is None else time.monotonic() + seconds
    while live.wait(0.0):
        left = _REFRESH_SECONDS if end is None else min(_REFRESH_SECONDS, end - time.monotonic())
        if left <= 0.0:
            return
        for line in console.lines(left):
            if not obey(live, console, knobs, line.strip()):
                return
        for text in knobs.news() if knobs is not None else ():
            console.say(text)
        if console.shows_status:
            console.show(status_line(live.status()))


def obey(live: LiveStream, console: Console, knobs: MidiKnobs | None, line: str) -> bool:
    """Do what a line says; False for ``quit``."""
    if line in ("quit", "exit"):
        return False
    try:
        if line == "help":
            console.say(HELP if knobs is None else f"{HELP}; {MIDI_HELP}")
        elif line in ("status", ""):
            console.say(status_line(live.status()))
        elif line == "knobs":
            _say_knobs(live, console)
        elif line == "reset":
            live.session.reset()
        elif line.startswith(("learn ", "forget ")):
            _change_midi(console, knobs, *line.split(None, 1))
        else:
            name, value = split_line(live, line)
            set_from_text(live, name, value)
            console.say(knob_text(live, name))
    except NeutoneLikeError as error:
        console.say(f"Error: {error}")
    return True


def _change_midi(console: Console, knobs: MidiKnobs | None, verb: str, name: str) -> None:
    if knobs is None:
        console.say("Error: There is no MIDI input. Start again with --midi; --list-midi says what there is.")
    elif verb == "learn":
        knobs.learn(name)
        console.say(f"Move a control for {name}.")
    else:
        knobs.forget(name)
        console.say(f"No control moves {name}.")


def split_line(live: LiveStream, line: str) -> tuple[str, str]:
    """``drive=24``, ``drive 24``, or a name alone with an empty value."""
    name, equals, value = line.partition("=")
    if not equals:
        names = sorted((each.name for each in live.session.parameters), key=len, reverse=True)
        name = next((each for each in names if line == each or line.startswith(f"{each} ")), line.split()[0])
        value = line[len(name) :]
    return name.strip(), value.strip()


def set_from_text(live: LiveStream, name: str, text: str) -> None:
    """A value with or without its unit; nothing leaves the parameter as it is.

    Raises:
        ParameterError: No such parameter, or a value out of its range.
    """
    parameter = next((each for each in live.session.parameters if each.name == name), None)
    unit = getattr(parameter, "unit", "")
    if unit and text.endswith(unit):
        text = text[: -len(unit)].strip()
    if text or parameter is None:
        live.set_parameter(name, text)


def knob_text(live: LiveStream, name: str) -> str:
    """``drive = 24 dB (0..36)``."""
    parameter = next(each for each in live.session.parameters if each.name == name)
    value = live.parameter(name)
    shown = value if isinstance(value, str) else f"{value:.6g}"
    unit = getattr(parameter, "unit", "")
    return f"{name} = {shown}{f' {unit}' if unit else ''} ({_allowed(parameter)})"


def _allowed(parameter: NumericalParameter) -> str:
    if isinstance(parameter, CategoricalParameter):
        return ", ".join(parameter.labels)
    return f"{parameter.minimum:g}..{parameter.maximum:g}"


def _say_knobs(live: LiveStream, console: Console) -> None:
    for parameter in live.session.parameters:
        console.say(f"  {knob_text(live, parameter.name)}")
    if len(live.session.parameters) == 0:
        console.say("  The model has no parameters.")


def status_line(status: LiveStatus) -> str:
    """Levels, load and what was lost, in one line."""
    return (
        f"{status.seconds:6.1f} s  in {_bar(status.input_peak_db)}  out {_bar(status.output_peak_db)}  "
        f"load {status.load:4.0%}  xruns {status.device_xruns}  underruns {status.underruns}"
    )


def _bar(peak_db: float) -> str:
    letters = round(_BAR_LETTERS * min(1.0, max(0.0, 1.0 + peak_db / _BAR_DB)))
    return f"[{'#' * letters}{'.' * (_BAR_LETTERS - letters)}] {peak_db:6.1f} dB{' CLIP' if peak_db > 0.0 else ''}"
