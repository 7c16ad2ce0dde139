"""Train the TCN amp on the task of ``amp_training.py``.

    python examples/train_tcn_amp.py                          # some minutes on a CPU; writes examples/weights/
    python examples/train_tcn_amp.py --epochs 2 --seconds 20 --out build/quick.pt

A convolution sees all the past it will ever use in its receptive field, so audio may be cut anywhere. Each example is a
stretch of :data:`STRETCH_SAMPLES` with the field's length in front of it, for which no output is asked. Stretches are
short so that an epoch has many steps: this network wants steps more than it wants large batches.
"""

import time
from pathlib import Path
from typing import Annotated

import torch
import typer
from amp_training import SAMPLE_RATE, Pair, fit, loss_function, training_pair, write_weights
from tcn_amp import CHANNELS, DILATIONS, TAPS, WEIGHTS, TcnNetwork
from torch import Tensor

STRETCH_SAMPLES = 8192
BATCH_SIZE = 8
HIGHEST_LEARNING_RATE = 8e-3


@torch.no_grad()
def run(network: TcnNetwork, dry: Tensor) -> Tensor:
    """``[1, N]`` through the network, from silence."""
    return network.whole(dry.unsqueeze(0)).squeeze(0)


def stretches(pair: Pair, receptive_field_samples: int) -> Pair:
    """Cut into ``[count, 1, field - 1 + STRETCH_SAMPLES]`` of dry and ``[count, STRETCH_SAMPLES, 1]`` of wet audio."""
    before = receptive_field_samples - 1
    dry = torch.nn.functional.pad(pair.dry[0], (before, 0)).unfold(0, before + STRETCH_SAMPLES, STRETCH_SAMPLES)
    wet = pair.wet[0].unfold(0, STRETCH_SAMPLES, STRETCH_SAMPLES)
    return Pair(dry.unsqueeze(1), wet.unsqueeze(2))


def train(seconds: float, epochs: int, channels: int, seed: int) -> tuple[TcnNetwork, float]:
    """Returns the best epoch's network and its error on the validation riff."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = TcnNetwork(channels)
    data = stretches(training_pair(seconds, seed), network.receptive_field_samples)
    optimizer = torch.optim.Adam(network.parameters())
    batches = -(-data.dry.size(0) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, HIGHEST_LEARNING_RATE, total_steps=epochs * batches)
    generator = torch.Generator().manual_seed(seed)

    def train_epoch() -> None:
        for chosen in torch.randperm(data.dry.size(0), generator=generator).split(BATCH_SIZE):
            output = network.whole(data.dry[chosen]).transpose(1, 2)
            optimizer.zero_grad()
            loss_function(output[:, -STRETCH_SAMPLES:], data.wet[chosen]).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()

    return network, fit(network, lambda dry: run(network, dry), train_epoch, epochs)


def main(
    seconds: Annotated[float, typer.Option(min=10.0, help="Length of the training audio.")] = 60.0,
    epochs: Annotated[int, typer.Option(min=1, help="Times through the training audio.")] = 40,
    channels: Annotated[int, typer.Option(min=2, max=256, help="Channels of each layer.")] = CHANNELS,
    out: Annotated[Path, typer.Option(help="Weights file; the report goes beside it, as .json.")] = WEIGHTS,
    seed: Annotated[int, typer.Option(help="The same seed gives the same weights on the same machine.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 2,
) -> None:
    """Train, measure on held-out notes, write the weights and the error reached."""
    torch.set_num_threads(threads)
    started = time.perf_counter()
    network, validation_esr = train(seconds, epochs, channels, seed)
    report = {
        "validation_esr": validation_esr,
        "channels": channels,
        "taps": TAPS,
        "dilations": list(DILATIONS),
        "sample_rate": SAMPLE_RATE,
        "training_seconds": seconds,
        "epochs": epochs,
        "seed": seed,
    }
    write_weights(network, lambda dry: run(network, dry), out, report, started=started)


if __name__ == "__main__":
    typer.run(main)
