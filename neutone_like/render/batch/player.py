"""One model in one process, playing file after file: what comes out does not depend on what it played before."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from neutone_like.artifact import Artifact, load_artifact
from neutone_like.artifact.format.archive import COMPILED_NAME
from neutone_like.errors import ModelError, ParameterError
from neutone_like.render.batch.locations import join, name_of, parent_of
from neutone_like.render.batch.settings import RenderSettings, key_of
from neutone_like.render.file_rendering import render_file
from neutone_like.render.model_plugin import ModelPlugin
from neutone_like.render.offline_plugin import OfflinePlugin, is_offline
from neutone_like.render.offline_rendering import target_paths
from neutone_like.render.render_result import RenderResult
from neutone_like.render.sharing import using
from neutone_like.torch_threads import one_thread
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
        compiled_sha256: Of the compiled model beside ``model``; ``""`` where there is none.
        allow_operators: What the model may use although artifacts may not.
    """

    model: Path
    artifact_sha256: str
    settings: RenderSettings
    scratch: Path
    compiled_sha256: str = ""
    allow_operators: frozenset[str] = frozenset()

    def artifact(self) -> Artifact:
        """Loaded anew. Raises ArtifactError if it can't be."""
        return load_artifact(self.model, allow_operators=self.allow_operators)

    @property
    def files(self) -> list[Path]:
        """The copies that workers load."""
        compiled = [self.model.with_name(COMPILED_NAME)] if self.compiled_sha256 else []
        return [self.model, *compiled]

    def key(self, input_sha256: str, ending: str) -> str:
        """See :func:`neutone_like.render.batch.settings.key_of`."""
        return key_of(input_sha256, self.artifact_sha256, self.settings, ending, self.compiled_sha256)


class Player:
    """The model of a job, loaded once.

    Raises:
        ArtifactError: It can't be loaded.
        ParameterError: It does not take the settings.
        ModelError: It does not take one file at a time, or the device is not there.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        with optimiser(False):
            self._model = _non_realtime(job) if is_offline(job.model) else _live(job)

    def outputs(self, output: str) -> tuple[str, ...]:
        """The files that come out for an output as planned: one for each of the model's outputs."""
        if isinstance(self._model, ModelPlugin):
            return (output,)
        names = target_paths(Path(name_of(output)), self._model.out_labels)
        return tuple(join(parent_of(output), name.name) for name in names)

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


def _live(job: Job) -> ModelPlugin:
    settings = job.settings
    if settings.device != "cpu":
        raise ParameterError(f"device: a live model runs on the CPU, got {settings.device!r}. Leave device out.")
    return ModelPlugin(
        job.artifact(),
        dict(settings.params),
        wet=settings.wet,
        dry=settings.dry,
        input_gain_db=settings.input_gain_db,
        output_gain_db=settings.output_gain_db,
        backend=settings.backend,
    )


def _non_realtime(job: Job) -> OfflinePlugin:
    settings = job.settings
    for name in ("wet", "dry", "input_gain_db", "output_gain_db"):
        if getattr(settings, name) is not None:
            raise ParameterError(f"{name} is a knob of live models, and this model is offline. Leave it out.")
    plugin = OfflinePlugin(job.artifact(), dict(settings.params), device=settings.device, backend=settings.backend)
    plugin.require_followable()
    if len(plugin.in_labels) != 1:
        raise ModelError(
            f"{plugin.name} has {len(plugin.in_labels)} inputs, and a job gives every file alone to a model of one. "
            "Render each of its sounds by itself: render_file, or the command line with a file for OUTPUT."
        )
    return plugin


@contextmanager
def _repeatable(seed: int) -> Iterator[None]:
    """The tenth file is rendered as the first: random numbers begin anew, sums are made in one order (a single thread),
    and TorchScript's optimiser, which changes a model's code after its first calls, is off.
    """
    devices = range(torch.cuda.device_count())
    with (
        using((torch.random,), "The source of random numbers"),  # of which a process has one
        one_thread(),
        optimiser(False),
        torch.random.fork_rng(devices=devices),
    ):
        torch.manual_seed(seed)
        yield
