"""One model in one process, playing file after file: what comes out does not depend on what it played before."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from neutone_like.errors import ParameterError
from neutone_like.render.batch.settings import RenderSettings, key_of
from neutone_like.render.file_rendering import RenderResult, render_file
from neutone_like.render.model_plugin import ModelPlugin
from neutone_like.validate.conditions import optimiser

ProgressFunction = Callable[[int, int], None]


@dataclass(frozen=True)
class Job:
    """What every worker needs to know.

    Attributes:
        model: The ``.nm`` file, a copy that nobody changes while the job runs.
        artifact_sha256: Of its content.
        settings: The same for all files.
        scratch: A folder for temporary copies.
    """

    model: Path
    artifact_sha256: str
    settings: RenderSettings
    scratch: Path

    def key(self, input_sha256: str, ending: str) -> str:
        """See :func:`neutone_like.render.batch.settings.key_of`."""
        return key_of(input_sha256, self.artifact_sha256, self.settings, ending)


class Player:
    """The model of a job, loaded once.

    Raises:
        ArtifactError: It can't be loaded.
        ParameterError: It does not take the settings.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        settings = job.settings
        if settings.device != "cpu":
            raise ParameterError(f"device: a live model runs on the CPU, got {settings.device!r}. Leave device out.")
        with optimiser(False):
            self._model = ModelPlugin(
                job.model,
                dict(settings.params),
                wet=settings.wet,
                dry=settings.dry,
                input_gain_db=settings.input_gain_db,
                output_gain_db=settings.output_gain_db,
            )

    def play(self, source: Path, target: Path, *, seed: int, progress: ProgressFunction) -> RenderResult:
        """Render one file. Raises what :func:`neutone_like.render_file` raises."""
        settings = self.job.settings
        with _repeatable(seed):
            return render_file(
                self._model,
                source,
                target,
                out_sample_rate=settings.out_sample_rate,
                bit_depth=settings.bit_depth,
                quality=settings.quality,
                progress=progress,
            )


@contextmanager
def _repeatable(seed: int) -> Iterator[None]:
    """Random numbers begin anew, and TorchScript's optimiser, which changes a model's code after its first calls and
    takes a while for it, is off: the tenth file is rendered as the first.
    """
    with optimiser(False), torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield
