"""The main job on real audio: two models to artifacts, plugins and web pages, a riff and a drum loop rendered through
them, and a recording of one played live, which needs no sound card.

    python examples/demo.py                            # our own riff and drum loop, into build/demo
    python examples/demo.py --input take.wav --out /tmp/demo

The inputs are at 44.1 kHz and both models were made for 48 kHz, so every render also shows the resampler: each file
comes out as long as it went in, and aligned with it.
"""

import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import lstm_amp
import overdrive
import soundfile
import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from neutone_like import NeutoneLikeError, RuntimeEngineError, export_model, load_artifact, render_file
from neutone_like.artifact import Artifact
from neutone_like.artifact.writing.sample_audio import SAMPLES
from neutone_like.audio import AudioReader
from neutone_like.export import ExportResult
from neutone_like.extras import import_extra
from neutone_like.plugin import build_plugin, build_web_page
from neutone_like.render import Board, ModelPlugin, RenderResult
from neutone_like.runtime import Engine, HostConfig, ParameterChange

SAMPLE_RATE = 44100
DRIVE_CURVE = [(0.0, 0.0), (2.0, 36.0), (4.0, 6.0)]  # (seconds, dB): straight lines between, the last value holds
HEADROOM_DB = -6.0  # clipped audio overshoots full scale when it is resampled
LIVE_SECONDS = 4.0  # at most, which it takes
LIVE_BLOCK = 128  # samples of a callback
TURNS = [(0.0, 0.0), (1.0, 36.0), (3.0, 12.0)]  # (seconds, dB): a hand on the drive; it glides as the model says


@dataclass(frozen=True)
class Rendered:
    """A row of the table."""

    through: str
    result: RenderResult


def write_inputs(folder: Path) -> list[Path]:
    """The synthesised riff (mono) and drum loop (stereo), as WAV."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, make in SAMPLES.items():
        paths.append(folder / f"{name}.wav")
        soundfile.write(paths[-1], make(SAMPLE_RATE, 8.0).T.numpy(), SAMPLE_RATE, subtype="PCM_24")
    return paths


def export(console: Console, out: Path) -> dict[str, ExportResult]:
    """Both models to artifacts; a model that fails a check stops the demo."""
    results = {}
    for name, model in {"overdrive": overdrive.build_model(), "lstm_amp": lstm_amp.build_model()}.items():
        started = time.perf_counter()
        with console.status(f"Exporting and validating {name}"):
            results[name] = export_model(model, out / name)
        result = results[name]
        verdict = "not validated" if result.validation is None else result.validation.summary()
        console.print(
            f"{name}: {result.model_path.stat().st_size / 1000:.0f} kB in {time.perf_counter() - started:.1f} s; "
            f"checks: {verdict}",
            soft_wrap=True,
        )
    return results


def write_pages(results: dict[str, ExportResult], out: Path) -> list[Path]:
    """A web page of each model that compiled."""
    compiled = {name: result for name, result in results.items() if result.compiled_path is not None}
    return [build_web_page(result.model_path, out / name).parent for name, result in compiled.items()]


def make_plugins(console: Console, results: list[ExportResult], out: Path) -> None:
    """Of the models that were compiled, for DAWs."""
    try:
        for result in results:
            if result.compiled_path is not None:
                made = build_plugin(result.model_path, out)
                names = ", ".join(file.path.name for file in made.files)
                console.print(f"Plugins in {out}: {names}; {made.load}", soft_wrap=True, markup=False)
    except RuntimeEngineError as error:
        console.print(f"No plugins: {error}", soft_wrap=True, markup=False)


def play_live(console: Console, result: ExportResult, source: Path, out: Path) -> None:
    """Record the overdrive while a hand turns its drive; what calls it, when a sound card would, is a thread."""
    with AudioReader(source) as reader:
        rate, channels = reader.sample_rate, reader.channels
        seconds = min(LIVE_SECONDS, reader.samples / rate)
    taken = out / f"{source.stem}-{result.model_path.parent.name}.wav"
    turns = [ParameterChange(round(at * rate), "drive", decibels) for at, decibels in TURNS]
    try:
        out.mkdir(parents=True, exist_ok=True)
        with Engine() as engine:
            host = HostConfig(sample_rate=rate, block_size=LIVE_BLOCK, channels=channels)
            # A compiled model is quick enough for the callback; one that isn't plays on a worker, with more latency.
            mode = "async" if result.compiled_path is None else "inline"
            session = engine.open(result.model_path, host, mode=mode)
            report = engine.run_realtime(session, seconds, input=source, parameter_changes=turns, record=True)
    except RuntimeEngineError as error:
        console.print(f"No recording: {error}", soft_wrap=True, markup=False)
        return
    run = report.sessions[0]
    assert run.output is not None, "it was asked for"
    soundfile.write(taken, 10.0 ** (HEADROOM_DB / 20.0) * run.output.T, rate, subtype="PCM_24")
    console.print(
        f"Played live, without a sound card: {run.summary()}, callbacks p99 {run.callback_time.p99_us:.0f} us of "
        f"{1e6 * LIVE_BLOCK / rate:.0f}. The recording, for any player: {taken}",
        soft_wrap=True,
        markup=False,
    )


def render(artifacts: dict[str, Artifact], source: Path, out: Path) -> list[Rendered]:
    """One input three ways: moving drive, the trained amp, and the amp between two pedalboard plugins."""
    pedalboard = import_extra("pedalboard", extra="render", purpose="The demo's board")
    board = Board(
        [
            pedalboard.Compressor(threshold_db=-20.0, ratio=3.0),
            ModelPlugin(artifacts["lstm_amp"], output_gain_db=-3.0),
            pedalboard.Reverb(room_size=0.35, wet_level=0.2),
        ]
    )

    def target(name: str) -> Path:
        return out / f"{source.stem}-{name}.wav"

    moving_drive = render_file(
        artifacts["overdrive"], source, target("overdrive"), params={"drive": DRIVE_CURVE}, output_gain_db=HEADROOM_DB
    )
    return [
        Rendered("overdrive, moving drive", moving_drive),
        Rendered("LSTM amp", render_file(artifacts["lstm_amp"], source, target("lstm_amp"))),
        Rendered("compressor, LSTM amp, reverb", render_file(board, source, target("board"))),
    ]


def table_of(rows: list[Rendered]) -> Table:
    """What was rendered."""
    table = Table(
        box=box.SIMPLE,
        caption="RTF: compute time / audio time. Peak in dBFS. Latency in samples, already removed from the file.",
    )
    table.add_column("file", no_wrap=True)
    table.add_column("through")
    for heading in ("seconds", "RTF", "peak", "latency"):
        table.add_column(heading, justify="right")
    for row in rows:
        result = row.result
        table.add_row(
            escape(result.out_path.name),
            row.through,
            f"{result.audio_seconds:.2f}",
            f"{result.rtf:.3f}",
            f"{20 * math.log10(max(result.peak, 1e-9)):.1f}",
            str(result.latency_samples),
        )
    return table


def main(
    source: Annotated[
        Path | None, typer.Option("--input", exists=True, dir_okay=False, help="Audio file; ours without.")
    ] = None,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for artifacts and audio.")] = Path("build/demo"),
) -> None:
    """Export, validate and render."""
    console = Console()
    try:
        inputs = [source] if source else write_inputs(out / "input")
        for path in inputs:
            with AudioReader(path):
                pass  # a file that can't be read is better refused before the exports than after
        results = export(console, out)
        pages = write_pages(results, out / "pages")
        make_plugins(console, list(results.values()), out / "plugins")
        artifacts = {name: load_artifact(result.model_path) for name, result in results.items()}
        rows = [row for path in inputs for row in render(artifacts, path, out)]
        play_live(console, results["overdrive"], inputs[0], out / "live")
    except NeutoneLikeError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error
    console.print(table_of(rows))
    console.print(f"Before: {', '.join(str(path) for path in inputs)}", soft_wrap=True, markup=False)
    console.print(f"After, and the artifacts: {out.resolve()}", soft_wrap=True, markup=False)
    overdrive_folder = results["overdrive"].model_path.parent
    console.print(f"On your sound card: neutone-like play {overdrive_folder}", soft_wrap=True, markup=False)
    for page in pages:
        console.print(f"In a browser: python -m http.server --directory {page.resolve()}", soft_wrap=True, markup=False)


if __name__ == "__main__":
    typer.run(main)
