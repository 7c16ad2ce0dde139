"""Figures of anira 2.2.0 that callbacks here are held beside: measured in a study of that library, not by this suite.

Another machine's day: two virtual processors at a load of 4 to 7, one run for each cell. anira played TorchScript from
its pool (one thread, SCHED_FIFO, polling wake-up, one instance, a model block as long as the host's), paced at 48 kHz.
Its longest times are left out: direct calls stalled as long on that machine.
"""

from dataclasses import dataclass

CONDITIONS = (
    "anira 2.2.0 with its LibTorch backend, as a study of it measured once: 48 kHz, a thread pool of one thread "
    "with real-time priority, host and model block alike, 600 to 2000 callbacks, on two virtual processors at a load "
    "of 4 to 7. Other networks than this suite's, and another day: the callback only copies in both, so that its "
    "time compares in order of magnitude, no more."
)


@dataclass(frozen=True)
class AniraFigure:
    """A callback of anira's.

    Attributes:
        network: That was played.
        block: Samples.
        p50_us, p99_us: Of the callback.
        missing_samples: Of all samples.
        latency_samples: As it reports it.
    """

    network: str
    block: int
    p50_us: float
    p99_us: float
    missing_samples: int
    latency_samples: int


FIGURES = (
    AniraFigure("cnn", 64, 7, 13, 512, 64),
    AniraFigure("cnn", 128, 10, 16, 768, 128),
    AniraFigure("cnn", 256, 12, 48, 0, 256),
    AniraFigure("cnn", 512, 17, 78, 512, 512),
    AniraFigure("cnn", 1024, 31, 72, 0, 1024),
    AniraFigure("lstm", 64, 6, 90, 448, 64),
    AniraFigure("lstm", 128, 8, 34, 1792, 128),
    AniraFigure("lstm", 256, 9, 45, 1792, 256),
    AniraFigure("lstm", 512, 18, 62, 1536, 512),
    AniraFigure("lstm", 1024, 32, 80, 0, 1024),
)
