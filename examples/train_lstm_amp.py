"""Train the LSTM amp on the task of ``amp_training.py``.

    python examples/train_lstm_amp.py                          # some minutes on a CPU; writes examples/weights/
    python examples/train_lstm_amp.py --epochs 2 --seconds 20 --out build/quick.pt

Gradients travel back over a window of samples only, while the state is carried across windows (truncated
backpropagation through time).
"""

import time
from pathlib import Path
from typing import Annotated

import torch
import typer
from amp_training import SAMPLE_RATE, fit, loss_function, segments, training_pair, write_weights
from lstm_amp import HIDDEN_SIZE, WEIGHTS, LstmNetwork
from torch import Tensor

WARM_UP_SAMPLES = 1000
UPDATE_SAMPLES = 512  # the length that gradients travel back in time
BATCH_SIZE = 16

State = tuple[Tensor, Tensor]


def zero_state(network: LstmNetwork, batch: int) -> State:
    shape = (1, batch, network.lstm.hidden_size)
    return torch.zeros(shape), torch.zeros(shape)


@torch.no_grad()
def run(network: LstmNetwork, dry: Tensor) -> Tensor:
    """``[1, N]`` through the network from a zero state."""
    return network(dry.unsqueeze(2), zero_state(network, 1))[0].squeeze(2)


def train_batch(network: LstmNetwork, optimizer: torch.optim.Optimizer, dry: Tensor, wet: Tensor) -> None:
    """Truncated backpropagation through time: an update every :data:`UPDATE_SAMPLES`, the state carried across."""
    with torch.no_grad():
        _, state = network(dry[:, :WARM_UP_SAMPLES], zero_state(network, dry.size(0)))
    for start in range(WARM_UP_SAMPLES, dry.size(1) - UPDATE_SAMPLES + 1, UPDATE_SAMPLES):
        now = slice(start, start + UPDATE_SAMPLES)
        output, state = network(dry[:, now], state)
        optimizer.zero_grad()
        loss_function(output, wet[:, now]).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        state = (state[0].detach(), state[1].detach())


def train(seconds: float, epochs: int, hidden_size: int, seed: int) -> tuple[LstmNetwork, float]:
    """Returns the best epoch's network and its error on the validation riff."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = LstmNetwork(hidden_size)
    data = segments(training_pair(seconds, seed))
    optimizer = torch.optim.Adam(network.parameters(), lr=4e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs, eta_min=1e-4)
    generator = torch.Generator().manual_seed(seed)

    def train_epoch() -> None:
        for chosen in torch.randperm(data.dry.size(0), generator=generator).split(BATCH_SIZE):
            train_batch(network, optimizer, data.dry[chosen], data.wet[chosen])
        schedule.step()

    return network, fit(network, lambda dry: run(network, dry), train_epoch, epochs)


def main(
    seconds: Annotated[float, typer.Option(min=10.0, help="Length of the training audio.")] = 60.0,
    epochs: Annotated[int, typer.Option(min=1, help="Times through the training audio.")] = 50,
    hidden_size: Annotated[int, typer.Option(min=1, max=256, help="Units of the LSTM.")] = HIDDEN_SIZE,
    out: Annotated[Path, typer.Option(help="Weights file; the report goes beside it, as .json.")] = WEIGHTS,
    seed: Annotated[int, typer.Option(help="The same seed gives the same weights on the same machine.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 2,
) -> None:
    """Train, measure on held-out notes, write the weights and the error reached."""
    torch.set_num_threads(threads)
    started = time.perf_counter()
    network, validation_esr = train(seconds, epochs, hidden_size, seed)
    report = {
        "validation_esr": validation_esr,
        "hidden_size": hidden_size,
        "sample_rate": SAMPLE_RATE,
        "training_seconds": seconds,
        "epochs": epochs,
        "seed": seed,
    }
    write_weights(network, lambda dry: run(network, dry), out, report, started=started)


if __name__ == "__main__":
    typer.run(main)
