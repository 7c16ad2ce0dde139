"""Distil the LSTM amp, or any other live model, into a student that takes half its time.

    python examples/distil_lstm_amp.py                                 # eight minutes of CPU time; build/distilled
    python examples/distil_lstm_amp.py --family wiener_hammerstein --seconds 120
    python examples/distil_lstm_amp.py --teacher amp.nam --family wavenet --out build/small_amp
    python examples/distil_lstm_amp.py --seconds 5 --out build/quick

What it shows:

- **Measured before trained.** ``propose_students`` compiles students of growing width and plays each beside the
  teacher: only what is within the budget of time is trained. Counting weights would not have told: a recurrent
  network's time lies in its chain of steps, that of convolutions in their products.
- **More than one.** Which of the students that fit learns best, only training tells. The widest of each family gets a
  tenth of the time, and the one with the lowest error on phrases that steer gets the rest.
- **What it is built like.** An amp is a filter, something that bends, and a filter. A student of that kind
  (``--family wiener_hammerstein``) needs neither many weights nor much time.
- **What it was taught with.** The amp of the examples learned riffs, and is itself only there. So it teaches riffs;
  another teacher teaches plucked strings, drums, sweeps and noise.
- **It goes on.** Killed and called again with the same options, it continues from its checkpoints.
"""

from pathlib import Path
from typing import Annotated, Any, cast

import torch
import typer
from amp_training import random_riff
from torch import Tensor

from neutone_like.optimise import DistilResult, StudentShape, distil, propose_students
from neutone_like.optimise.distilling.students import FAMILIES, Family

TEACHER = Path(__file__).resolve().parents[1] / "exported" / "lstm_amp" / "model.nm"
AUDIO_SECONDS = 120.0


def riff(generator: torch.Generator) -> Tensor:
    """Four seconds of what the examples' amp learned from."""
    return random_riff(generator, 4.0, held_out=False)


def best_start(teacher: Path, shapes: tuple[StudentShape, ...], **training: Any) -> StudentShape:
    """Train the widest of each family for a while; the one that got furthest."""
    tried: list[tuple[float, StudentShape]] = []
    widest = {shape.family: shape for shape in reversed(shapes)}
    for family, shape in widest.items():
        result = distil(teacher, shape, **{**training, "out": training["out"] / f"try_{family}"})
        error = min(each.validation_esr for each in result.curve)
        print(f"{shape}: validation ESR {error:.4f} after {result.steps} steps")
        tried.append((error, shape))
    return min(tried, key=lambda each: each[0])[1]


def main(
    teacher: Annotated[Path, typer.Option(help="A .nm or .nam file.")] = TEACHER,
    budget: Annotated[float, typer.Option(min=0.01, help="The most time, over the teacher's.")] = 0.5,
    family: Annotated[str, typer.Option(help=f"One of {', '.join(FAMILIES)}, or all.")] = "all",
    seconds: Annotated[float, typer.Option(min=1.0, help="Of CPU time for training.")] = 300.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same audio and weights.")] = 0,
    out: Annotated[Path, typer.Option(help="A folder for checkpoints and artifacts.")] = Path("build/distilled"),
) -> DistilResult:
    """Propose, try, distil, and tell what came out."""
    torch.set_num_threads(1)
    proposals = propose_students(teacher, budget, families=FAMILIES if family == "all" else [cast("Family", family)])
    print(proposals)
    if not proposals.shapes:
        raise typer.Exit(1)
    audio = riff if teacher.resolve() == TEACHER else None
    training: dict[str, Any] = {"audio": audio, "audio_seconds": AUDIO_SECONDS, "seed": seed}
    shape = proposals.shapes[0]
    if len(proposals.shapes) > 1:
        shape = best_start(teacher, proposals.shapes, seconds=0.1 * seconds, out=out, **training)
    result = distil(teacher, shape, seconds=seconds, out=out / "best", **training)
    print(result)
    return result


if __name__ == "__main__":
    typer.run(main)
