"""Train the vocoders of ``vocoder_networks.py``, and write what they reach, what they cost and what the seams cost.

    python examples/train_vocoders.py                         # nine minutes of one CPU
    python examples/train_vocoders.py --updates 20 --pieces 4 --out build/quick.pt
    python examples/train_vocoders.py --measure               # only measures the weights that are there

Killed, it goes on where it was when called again with the same arguments: checkpoints are in ``--work``. The loss is
spectra of three resolutions and the mel bands themselves. There is no adversary: that takes days and not minutes, and
is what makes published vocoders crisp. Levels are learned, phases are free, so that waveforms are not compared.

``vocoder_measurements.py`` says what is measured.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from page_tables import replace_tables
from random_music import Dice, random_drums, random_notes
from torch import Tensor, nn
from vocoder_measurements import as_markdown, measure
from vocoder_networks import HOP_SAMPLES, KINDS, WEIGHTS, Analysis, Carriers, load_training_report, new_network

from neutone_like.optimise.diffusion.training import train
from neutone_like.whole_file import appearing_whole, write_whole

PIECE_SECONDS = 4.0
SEGMENT_SAMPLES = 32 * HOP_SAMPLES
BATCH_SIZE = 8
SOFTEST_DB = -24.0
FFT_SIZES = (2048, 512, 128)
QUIETEST = {"hifigan": 1e-5, "multiband": 1e-5, "istft": 1e-4}  # of magnitudes: what is below counts as that
UPDATES = {"hifigan": 400, "multiband": 700, "istft": 6500}  # minutes each, on one thread
LEARNING_RATES = {"hifigan": 1e-3, "multiband": 1e-3, "istft": 2e-3}


class Spectra(nn.Module):
    """The loss: how far magnitudes are, as a ratio and in logarithms, in three resolutions and in mel bands."""

    def __init__(self, quietest: float) -> None:
        super().__init__()
        self.quietest = quietest
        self.analysis = Analysis()
        self.windows = nn.ParameterList(nn.Parameter(torch.hann_window(size), False) for size in FFT_SIZES)

    def forward(self, network: Any, batch: tuple[Tensor, ...], generator: torch.Generator) -> Tensor:
        (sound,) = batch
        mel = self.analysis(sound)
        made = network(mel)[:, :, HOP_SAMPLES:]
        loss = 2.0 * (self.analysis(made) - mel).abs().mean()
        for window in self.windows:
            wanted, found = (magnitudes(each[:, 0], window, self.quietest) for each in (sound, made))
            ratio = (wanted - found).norm(dim=(1, 2)) / wanted.norm(dim=(1, 2)).clamp(min=1e-2)
            loss = loss + (found.log() - wanted.log()).abs().mean() / 3.0 + ratio.mean() / 3.0
        return loss


def magnitudes(sound: Tensor, window: Tensor, quietest: float) -> Tensor:
    """``[batch, samples]`` to ``[batch, bins, frames]``, a full-scale sine about 1, never 0."""
    size = window.numel()
    spectra = torch.stft(sound, size, size // 4, window=window, return_complex=True) / (0.25 * size)
    return (spectra.real.square() + spectra.imag.square() + quietest**2).sqrt()


class Music:
    """Draws segments of random music at random levels, ``[batch, 1, samples]``."""

    def __init__(self, seed: int, pieces: int) -> None:
        dice = Dice(seed)
        played = (random_notes, random_drums, random_notes)
        self.sounds = torch.stack([played[at % 3](dice, PIECE_SECONDS) for at in range(pieces)])

    def __call__(self, generator: torch.Generator) -> tuple[Tensor, ...]:
        count, length = self.sounds.shape
        which = torch.randint(count, (2, BATCH_SIZE), generator=generator)
        start = torch.randint(length - SEGMENT_SAMPLES, (2, BATCH_SIZE), generator=generator)
        drawn = self.sounds[which[..., None], start[..., None] + torch.arange(SEGMENT_SAMPLES)]
        gains = 10.0 ** (SOFTEST_DB / 20.0 * torch.rand(2, BATCH_SIZE, 1, generator=generator))
        gains[1, : BATCH_SIZE // 2] = 0.0  # half of them are alone, half are two together
        return ((gains * drawn).sum(0).unsqueeze(1),)


def train_one(kind: str, updates: int, pieces: int, seed: int, work: Path) -> tuple[nn.Module, float]:
    """A network, trained, and the CPU seconds that this took; goes on from its checkpoint."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = new_network(kind)
    seconds = train(
        network,
        Spectra(QUIETEST[kind]),
        Music(seed, pieces),
        updates,
        learning_rate=LEARNING_RATES[kind],
        seed=seed,
        checkpoint=work / f"{kind}.pt",
        purpose=f"vocoder {kind}, {pieces} pieces",
    )
    return network, seconds


def train_all(
    kinds: Sequence[str], updates: int | None, pieces: int, seed: int, work: Path
) -> tuple[dict[str, Any], dict[str, float]]:
    """The networks' states in half precision, and the CPU seconds that each took, also before a kill."""
    states: dict[str, Any] = {}
    took: dict[str, float] = {}
    for kind in kinds:
        print(kind)
        network, seconds = train_one(kind, updates or UPDATES[kind], pieces, seed, work)
        for module in network.modules():
            if isinstance(module, Carriers):
                module.fold()
        states[kind] = {name: value.half() for name, value in network.state_dict().items()}
        took[kind] = round(seconds, 1)
    return states, took


def main(
    kind: Annotated[list[str] | None, typer.Option(help="One that is trained; the rest stays as in --out.")] = None,
    updates: Annotated[
        int | None, typer.Option(min=1, help="For each; none: as many as for the weights there are.")
    ] = None,
    pieces: Annotated[int, typer.Option(min=1, help="Pieces of music of 4 s to learn from.")] = 60,
    out: Annotated[Path, typer.Option(help="Weights file; the report goes beside it, as .json.")] = WEIGHTS,
    work: Annotated[Path, typer.Option(help="Folder for checkpoints.")] = Path("build/vocoders"),
    seed: Annotated[int, typer.Option(help="The same seed gives the same weights on the same machine.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
    seconds: Annotated[float, typer.Option(min=1.5, help="Of each sound that is measured.")] = 4.0,
    only_measure: Annotated[bool, typer.Option("--measure", help="Measure the weights that are there.")] = False,
    page: Annotated[Path | None, typer.Option(exists=True, help="A page whose tables are written anew.")] = None,
) -> None:
    """Train, measure, write."""
    torch.set_num_threads(threads)
    facts: dict[str, Any]
    if only_measure:
        if not out.exists():
            raise typer.BadParameter(f"there are no weights {out} to measure; train without --measure first")
        before = load_training_report(out)
        facts = {name: before[name] for name in ("updates", "pieces", "seed", "took_cpu_seconds", "torch_version")}
    else:
        kinds = kind or list(KINDS)
        if unknown := [each for each in kinds if each not in KINDS]:
            raise typer.BadParameter(f"kind is one of {', '.join(KINDS)}; got {unknown[0]!r}")
        states, took = train_all(kinds, updates, pieces, seed, work)
        given = {each: updates or UPDATES[each] for each in kinds}
        if len(kinds) < len(KINDS):
            before = load_training_report(out)
            states = {**torch.load(out, weights_only=True), **states}
            took, given = {**before["took_cpu_seconds"], **took}, {**before["updates"], **given}
        out.parent.mkdir(parents=True, exist_ok=True)
        with appearing_whole(out) as file:  # a full disk leaves what was there
            torch.save(states, file)
        facts = {
            "updates": given,
            "pieces": pieces,
            "seed": seed,
            "took_cpu_seconds": took,
            "torch_version": torch.__version__,
        }
    found = measure(out, seconds)
    print(as_markdown(found))
    write_whole(out.with_suffix(".json"), (json.dumps({**facts, **rounded(found)}, indent=2) + "\n").encode())
    if page is not None:
        replace_tables(page, "vocoders", as_markdown(rounded(found)))
    print(f"Wrote {out.with_suffix('.json')}")


def rounded(found: Any) -> Any:
    """Numbers to six digits."""
    if isinstance(found, dict):
        return {name: rounded(value) for name, value in found.items()}
    if isinstance(found, list):
        return [rounded(value) for value in found]
    return float(f"{found:.6g}") if isinstance(found, float) else found


if __name__ == "__main__":
    typer.run(main)
