"""Rebuild ``exported/``: an artifact of every example, and what it played on the day it was made.

    python examples/rebuild_exported.py                  # all of them
    python examples/rebuild_exported.py echo overdrive   # only these

A test loads what is committed there and compares, so that a change which would make yesterday's files sound different,
or not load at all, does not go unnoticed. Rebuild after a change of an example, or of the wrapper that is meant to be
heard, and say in the commit what is.

Each folder gets ``model.nm``, ``model.nlc`` where it compiles, ``metadata.json`` and ``golden.npz``, of which
``exported/README.md`` says what is in it.
Every example is built in a process of its own and with a fixed date: the same machine and versions make the same bytes.
"""

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torch import Tensor

EXAMPLES = Path(__file__).resolve().parent
EXPORTED = EXAMPLES.parent / "exported"
MAXIMUM_BYTES = 1_000_000
DATE_UNIX_SECONDS = 1_767_225_600  # the first of January 2026: of the format, not of the day somebody ran this
TOTAL_SAMPLES = 6144
CASES = (  # host rate, host block, do the parameters move
    (48000, 512, False),
    (44100, 256, True),
    (96000, 192, False),
    (48000, 64, True),
)


NON_REALTIME_SAMPLES = 9600
NON_REALTIME_CASES = ((48000, "standing"), (44100, "drawn"))  # host rate, which values
NOTES = 2  # tokens that are kept of each default: generators answer with as much sound
ROUNDING = 2.0**-17  # makes the file smaller, and is far below what is compared


def example_names() -> list[str]:
    """Examples that have a ``build_model``."""
    return sorted(path.stem for path in EXAMPLES.glob("*.py") if "\ndef build_model(" in path.read_text("utf-8"))


def golden_input(channels: int, samples: int = TOTAL_SAMPLES) -> NDArray[np.float32]:
    """A riff on the left, drums on the right, in steps of 16 bits; ``[channels, samples]``."""
    from neutone_like.artifact.writing.sample_audio import drum_loop, guitar_riff

    sides = torch.cat((guitar_riff(48000, 1.0), drum_loop(48000, 1.0)[1:]))[:channels, :samples]
    return (torch.round(sides * 32768.0) / 32768.0).numpy()


def moving_values(count: int) -> NDArray[np.float32]:
    """Host values that go from 0 up to 1 and back, each at a pace of its own; ``[count, TOTAL_SAMPLES]``."""
    phase = np.arange(1, count + 1)[:, None] * np.arange(TOTAL_SAMPLES)[None, :] / TOTAL_SAMPLES
    return (np.round((1.0 - np.abs(1.0 - 2.0 * (phase % 1.0))) * 256.0) / 256.0).astype(np.float32)


def play(module: Any, rate: int, block: int, audio: NDArray[np.float32], values: NDArray[np.float32]) -> Tensor:
    """As a host does: set, reset, block after block. The delay stays in the output."""
    module.set_daw_sample_rate_and_buffer_size(rate, block)
    module.reset()
    x, params = torch.from_numpy(audio), torch.from_numpy(values)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        blocks = zip(x.split(block, dim=1), params.split(block, dim=1))
        return torch.cat([module.forward(now.contiguous(), value.contiguous()) for now, value in blocks], dim=1)


def make_golden(artifact: Any) -> dict[str, NDArray[Any]]:
    """The arrays of ``golden.npz``."""
    audio = golden_input(artifact.in_channels)
    defaults = artifact.module.get_default_param_values()[: len(artifact.parameters)]
    standing = defaults.expand(-1, TOTAL_SAMPLES).contiguous().numpy()
    moving = moving_values(len(artifact.parameters))
    golden: dict[str, NDArray[Any]] = {"input": audio, "standing": standing, "moving": moving}
    for rate, block, moves in CASES:
        output = play(artifact.fresh_module(), rate, block, audio, moving if moves else standing)
        golden[f"output_{rate}_{block}_{'moving' if moves else 'standing'}"] = output.numpy()
    return golden


def make_offline_golden(artifact: Any) -> dict[str, NDArray[Any]]:
    """The arrays of ``golden.npz`` for an offline model, which has all at once."""
    count = len(artifact.numerical_parameters)
    defaults = artifact.module.get_numerical_params_default_values_0to1().numpy()
    drawn = (np.arange(1, count + 1, dtype=np.float32) / (count + 1)).reshape(count, 1)
    golden: dict[str, NDArray[Any]] = {"standing": defaults, "drawn": drawn}
    for index, channels in enumerate(artifact.audio_in_channels):
        golden[f"input_{index}"] = golden_input(channels, NON_REALTIME_SAMPLES)
    tokens = [list(parameter.default[:NOTES]) for parameter in artifact.tokens_parameters]
    for index, each in enumerate(tokens):
        golden[f"tokens_{index}"] = np.array(each, dtype=np.int64)
    inputs = [torch.from_numpy(golden[f"input_{index}"]) for index in range(len(artifact.audio_in_channels))]
    for rate, values in NON_REALTIME_CASES:
        module = artifact.fresh_module()
        module.set_daw_sample_rate_and_buffer_size(rate, 512)
        outputs = module.forward(inputs, torch.from_numpy(golden[values]), None, tokens or None)
        for index, output in enumerate(outputs):
            golden[f"output_{rate}_{values}_{index}"] = (torch.round(output / ROUNDING) * ROUNDING).numpy()
    return golden


def rebuild(name: str, folder: Path) -> None:
    """Write one artifact and its golden output."""
    from neutone_like.artifact import load_artifact, write_artifact

    torch.set_num_threads(1)
    model = importlib.import_module(name).build_model()
    written = write_artifact(model, folder / name, render_samples=False)
    size = written.model_path.stat().st_size
    if size > MAXIMUM_BYTES:
        raise SystemExit(f"{written.model_path} has {size} bytes; keep examples below {MAXIMUM_BYTES}.")
    save: Any = np.savez_compressed  # whose annotation takes every keyword for an option
    artifact = load_artifact(folder / name)
    golden = make_golden(artifact) if artifact.is_realtime else make_offline_golden(artifact)
    save(folder / name / "golden.npz", **golden)
    compiled = compile_beside(artifact, model)
    golden_kb = (folder / name / "golden.npz").stat().st_size / 1000
    print(f"{name}: {size / 1000:.0f} kB, golden {golden_kb:.0f} kB{compiled}")


def compile_beside(artifact: Any, model: Any) -> str:
    """Write the compiled model where there can be one; in words, what became of it."""
    from neutone_like.errors import CompileError
    from neutone_like.runtime.compiling import compile_artifact

    try:
        compiled = compile_artifact(artifact, model=model)
    except CompileError as error:
        return f"; not compiled: {error}"
    compiled.write(artifact.path.with_name("model.nlc"))
    return f"; compiled: {compiled.steps} steps"


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Examples; all of them without.")] = None,
    out: Annotated[Path, typer.Option(file_okay=False, help="Where to write.")] = EXPORTED,
    here: Annotated[bool, typer.Option("--here", hidden=True, help="In this process.")] = False,
) -> None:
    """Rebuild artifacts of examples."""
    known = example_names()
    for name in names or known:
        if name not in known:
            raise typer.BadParameter(f"there is no example {name!r}, but {', '.join(known)}")
    if here:
        for name in names or known:
            rebuild(name, out)
        return
    # TorchScript numbers the types that a process compiles, and writes constants in the order of a set of strings.
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(DATE_UNIX_SECONDS), "PYTHONHASHSEED": "0"}
    command = [sys.executable, __file__, "--here", "--out", str(out)]
    failed = [name for name in names or known if subprocess.run([*command, name], env=environment).returncode]
    if failed:
        print(f"Not rebuilt: {', '.join(failed)}", file=sys.stderr)
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
