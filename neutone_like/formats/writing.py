"""Formats beside an artifact: written, played against PyTorch, and only then kept."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import torch
from torch import Tensor

from neutone_like.arguments import as_path, is_iterable, require_kind
from neutone_like.artifact import Artifact
from neutone_like.artifact.format.format_limits import Model
from neutone_like.checked_arguments import checked_arguments
from neutone_like.compiler.proof import Accuracy, Examples, accuracy_of, blocks_to_try, require_finite
from neutone_like.errors import CaptureError, CompileError, ExportError
from neutone_like.formats.catalogue import FORMATS
from neutone_like.formats.core import Core
from neutone_like.formats.format import Draft, Format
from neutone_like.formats.graph_module import first_line
from neutone_like.formats.sidecar import make_sidecar, sidecar_path
from neutone_like.graph import GraphPlayer
from neutone_like.printing import InNotebooks
from neutone_like.scratch_folder import scratch_folder
from neutone_like.torch_settings import plain_settings
from neutone_like.torch_threads import one_thread
from neutone_like.uninterrupted import uninterrupted
from neutone_like.whole_file import write_whole

_BLOCKS = 8
_VAGUE = 1e-3
"""In parts of the peak: where PyTorch's own rounding is more than this, being near float64 says nothing."""

_NOT_WRITTEN = {
    "coreml": "Core ML's converter runs anywhere, but only macOS plays what it makes, and a format is kept only once "
    "it has been played. Ask for 'pt2', and on a Mac: coremltools.convert(torch.export.load('model.pt2')).",
    "tensorrt": "TensorRT reads ONNX files, and builds its engine on the machine that plays it: ask for 'onnx', whose "
    "sidecar says which of its operations TensorRT's documentation does not list.",
}


@dataclass(frozen=True)
class WrittenFormat(InNotebooks):
    """A model in another engine's format.

    Attributes:
        format: ``"onnx"`` and so on.
        path: The model file.
        sidecar_path: The JSON file beside it, which names states, initial values, rate, block, delay and parameters.
        more_paths: Others that belong to it.
        sample_rate: Hz; ``None``: any.
        block_samples: New samples of every block; ``None``: any number.
        accuracy: How far it is from PyTorch in float64.
    """

    format: str
    path: Path
    sidecar_path: Path
    more_paths: tuple[Path, ...]
    sample_rate: int | None
    block_samples: int | None
    accuracy: Accuracy

    def moved_to(self, folder: Path) -> "WrittenFormat":
        """The same in another folder."""
        return replace(
            self,
            path=folder / self.path.name,
            sidecar_path=folder / self.sidecar_path.name,
            more_paths=tuple(folder / each.name for each in self.more_paths),
        )

    def line(self) -> str:
        """In a line: the file, its blocks and its error."""
        blocks = "blocks of any length" if self.block_samples is None else f"blocks of {self.block_samples} samples"
        rate = "any rate" if self.sample_rate is None else f"{self.sample_rate} Hz"
        return f"{self.path.name}: {rate}, {blocks}, {self.accuracy}"


@checked_arguments(ExportError, but=("artifact", "formats", "folder"))
@plain_settings()
def write_formats(
    artifact: Artifact,
    formats: Iterable[str],
    folder: str | PathLike[str] | None = None,
    *,
    model: Model | None = None,
    progress: Callable[[str], None] | None = None,
) -> tuple[WrittenFormat, ...]:
    """Write an artifact's model in the formats of other engines, each with a sidecar.

    Args:
        artifact: Of a live model, or an offline one that is played in blocks.
        formats: Out of :data:`FORMATS`.
        folder: Where to; by default beside ``model.nm``.
        model: What the artifact was exported from: messages can say lines then, and recurrences stay whole.
        progress: Called with what is being done now.

    Returns:
        One for each, in their order. Each was played over 8 blocks of several lengths, with states carried on, before
        it appeared: its error against float64 is at most twice PyTorch's own in float32.

    Raises:
        ExportError: A format is unknown, can't hold the model, or gives something else; what was there stays.
        MissingExtraError: A package is missing; with the line that installs it.
        OSError: The folder can't be written.
    """
    require_kind(artifact, Artifact, ExportError)
    target = artifact.path.parent if folder is None else as_path(folder, "a folder to write", ExportError)
    if not is_iterable(formats) or not all(isinstance(each, str) for each in formats):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ExportError(f'Expected a list of formats, such as ["onnx"], got {formats!r}.')
    if not os.path.isdir(target):
        raise ExportError(f"There is no folder {target} to write to. Make it, or choose another.")
    chosen = [format_named(each) for each in formats]
    with one_thread(), torch.no_grad(), scratch_folder(target) as made:
        found: list[WrittenFormat] = []
        for each in chosen:
            if progress is not None:
                progress(f"Writing {each.title}")
            found.append(_written(each, artifact, model, made))
        return uninterrupted(lambda: tuple(_placed(each, target) for each in found))  # only when all of them hold


def format_named(name: str) -> Format:
    """The format of this name.

    Raises:
        ExportError: There is none.
    """
    if name in _NOT_WRITTEN:
        raise ExportError(_NOT_WRITTEN[name])
    if name not in FORMATS:
        own = "nm and nlc are what export_model and compile_model write by themselves"
        raise ExportError(f"There is no format {name!r}; there are {', '.join(FORMATS)}; {own}.")
    return FORMATS[name]


def _written(chosen: Format, artifact: Artifact, model: Model | None, folder: Path) -> WrittenFormat:
    path = folder / chosen.file
    try:
        draft = chosen.write(artifact, model, path)
        accuracy = _proved(chosen, draft, path)
    except (CaptureError, CompileError) as error:
        reason = str(error).replace(str(path), path.name).rstrip(".")
        raise ExportError(
            f"{chosen.title} can't hold {artifact.metadata.model_name}: {reason}. "
            f"Leave {chosen.name!r} out of formats, or change the model as said."
        ) from error
    more = tuple(folder / each for each in chosen.more_files)
    sidecar = make_sidecar(draft.core, chosen.name, (path, *more), draft.names, dict(draft.notes))
    beside = sidecar_path(path)
    beside.write_text(sidecar.to_json(), encoding="utf-8")
    return WrittenFormat(
        format=chosen.name,
        path=path,
        sidecar_path=beside,
        more_paths=more,
        sample_rate=draft.core.sample_rate,
        block_samples=draft.core.block_samples,
        accuracy=accuracy,
    )


def _placed(written: WrittenFormat, folder: Path) -> WrittenFormat:
    """The sidecar comes last: until then an older one does not fit, which its reader says."""
    for path in (written.path, *written.more_paths, written.sidecar_path):
        write_whole(folder / path.name, path.read_bytes())
    return written.moved_to(folder)


def _require_repeatable(core: Core) -> None:
    captured = core.captured
    block = core.block_samples or max(core.lengths.shortest, core.lengths.multiple_of)
    inputs = Examples(core.graph, captured.look_behind_samples, captured.parameters).block(block)
    with torch.random.fork_rng():
        outputs: list[Tensor] = []
        for seed in (1, 2):
            torch.manual_seed(seed)
            outputs.append(GraphPlayer(core.graph)(*inputs))
    if not torch.equal(*map(torch.nan_to_num, outputs)):
        raise CompileError(
            "it draws random numbers, and gives something else each time for the same sound, which nothing can be held "
            "against. Keep noise in a buffer that is played round and round, or leave it out"
        )


def _proved(chosen: Format, draft: Draft, path: Path) -> Accuracy:
    core = draft.core
    _require_repeatable(core)
    player = chosen.open(draft, path)

    def played(inputs: Sequence[Tensor]) -> Tensor:
        try:
            return player.play(inputs)
        except Exception as error:  # what engines raise has no base of its own
            raise CompileError(f"its engine does not play what was written: {first_line(error)}") from error

    block = core.block_samples
    blocks = (block,) * _BLOCKS if block is not None else blocks_to_try(core.lengths)[:_BLOCKS]
    captured = core.captured
    accuracy = accuracy_of(played, core.graph, captured.parameters, captured.look_behind_samples, blocks)
    require_finite(accuracy)
    vague = not accuracy.rounded and accuracy.eager_error > _VAGUE * accuracy.peak
    if vague and accuracy.from_eager > _VAGUE * accuracy.peak:
        raise CompileError(
            f"PyTorch's own float32 is {accuracy.eager_error:.1e} from float64, at a peak of {accuracy.peak:.2g}, and "
            f"what was written is {accuracy.from_eager:.1e} from that: nothing so inexact can be proven. Calculate in "
            "float64 what grows without end, such as phases"
        )
    if not accuracy.is_good:
        raise CompileError(
            f"what was written does not give what the network does: {accuracy}. This is a mistake in the export or in "
            "the engine. Please report it with the model."
        )
    return accuracy
