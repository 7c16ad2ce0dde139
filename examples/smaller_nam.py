"""A `.nam` amp in half its time: cut, then taught by what it was cut from.

    python examples/smaller_nam.py amp.nam                             # five minutes of CPU time; build/smaller_nam
    python examples/smaller_nam.py amp.nam --share 0.4 --seconds 3600 --out build/better

What it shows:

- **Cut first.** ``prune`` takes away the channels that count least, of all layers that must have the same ones, and
  returns a smaller network of the same kind. What is left of a WaveNet's weights is where training begins, which ends
  nearer to the amp than weights drawn at random do in the same time.
- **Then taught.** The whole amp makes the answers, so there is as much to learn from as one likes: here plucked
  strings at levels from -40 to 0 dB. Phrases that training never heard judge the result.
- **It goes on.** Killed and called again with the same options, it continues from its checkpoint.
"""

from pathlib import Path
from typing import Annotated, cast

import torch
import typer
from torch import Tensor, nn

from neutone_like.importers import load_nam
from neutone_like.optimise import DistilResult, distil, prune
from neutone_like.optimise.distilling.signals import plucked_phrase


def main(
    amp: Annotated[Path, typer.Argument(help="A .nam file.")],
    share: Annotated[float, typer.Option(min=0.05, max=0.95, help="Of the channels that are cut.")] = 0.5,
    seconds: Annotated[float, typer.Option(min=1.0, help="Of CPU time for training.")] = 300.0,
    audio_seconds: Annotated[float, typer.Option(min=8.0, help="Of sound to learn from.")] = 120.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same audio.")] = 0,
    out: Annotated[Path, typer.Option(help="A folder for checkpoint and artifacts.")] = Path("build/smaller_nam"),
) -> DistilResult:
    """Cut, teach, and tell what came out."""
    torch.set_num_threads(1)
    teacher = load_nam(amp)
    sample_rate = teacher.sample_rates[0]
    pruned = prune(teacher, ratio=share)
    print(pruned)

    def plucks(generator: torch.Generator) -> Tensor:
        return plucked_phrase(sample_rate, generator)

    student = cast("nn.Module", pruned.model.model)
    result = distil(teacher, student, plucks, seconds=seconds, audio_seconds=audio_seconds, seed=seed, out=out)
    print(result)
    return result


if __name__ == "__main__":
    typer.run(main)
