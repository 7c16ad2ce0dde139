"""Export: write an artifact, validate it, and put it in place only then."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import cast

from neutone_like.artifact.format.archive import COMPILED_NAME
from neutone_like.artifact.format.format_limits import Model
from neutone_like.artifact.format.schema import Metadata
from neutone_like.artifact.reading.loader import Artifact, load_artifact
from neutone_like.artifact.reading.operators import checked_operators
from neutone_like.artifact.writing.capturing import SCRIPTED, Capture
from neutone_like.artifact.writing.plain_network import unwrapped
from neutone_like.artifact.writing.staging import staged_directory
from neutone_like.artifact.writing.writer import Progress, write_files
from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import CompileError, ExportError, RuntimeEngineError
from neutone_like.formats.writing import WrittenFormat, format_named, write_formats
from neutone_like.model.format_room import hosts_in_words
from neutone_like.printing import Printed, Row
from neutone_like.runtime.compiling import compile_artifact
from neutone_like.torch_settings import plain_settings
from neutone_like.torch_threads import one_thread
from neutone_like.validate.html import REPORT_NAME, write_report
from neutone_like.validate.report import ValidationReport
from neutone_like.validate.validation import validate_artifact

VALIDATION_NAME = "validation.json"
NOT_ASKED_FOR = "it was not asked for"
OWN_FORMATS = ("nm", "nlc")
"""What this package plays by itself: an artifact always has the first, and the second where the model compiles."""


@dataclass(frozen=True, repr=False)
class ExportResult(Printed):
    """What an export made, and where; None stands for what was turned off."""

    directory: Path
    model_path: Path
    metadata_path: Path
    validation_path: Path | None
    sample_paths: tuple[Path, ...]
    metadata: Metadata
    validation: ValidationReport | None
    report_path: Path | None = None
    way_in: str = SCRIPTED
    compiled_path: Path | None = None
    not_compiled: str = ""
    formats: tuple[WrittenFormat, ...] = ()

    @property
    def hosts(self) -> str:
        """In words, which hosts play the model, where it has more than the format has room for; else ``""``."""
        beyond = self.metadata.beyond_format()
        return hosts_in_words(beyond) if beyond else ""

    def _title(self) -> str:
        return f"ExportResult: {self.metadata.model_name!r} {self.metadata.model_version} in {self.directory}"

    def _rows(self) -> list[Row]:
        beside = (self.metadata_path, self.validation_path, self.report_path, *self.sample_paths)
        return [
            ("model", str(self.model_path)),
            ("way in", self.way_in),
            ("compiled", self.compiled_path.name if self.compiled_path else f"no: {self.not_compiled}"),
            *(("format", each.line()) for each in self.formats),
            ("beside it", ", ".join(path.name for path in beside if path is not None)),
            *([("hosts", self.hosts)] if self.hosts else []),
            ("validation", "not run" if self.validation is None else self.validation.summary()),
        ]


@checked_arguments(ExportError, but=("model", "out_dir", "quality", "allow_operators", "capture", "formats"))
@plain_settings()
def export_model(
    model: Model,
    out_dir: str | PathLike[str],
    *,
    validate: bool = True,
    render_samples: bool = True,
    mp3_samples: bool = False,
    allow_failed_validation: bool = False,
    quality: str = "high",
    report: bool = True,
    progress: Progress | None = None,
    allow_operators: Iterable[str] = (),
    capture: Capture = "auto",
    compile: bool = True,
    formats: Sequence[str] = OWN_FORMATS,
) -> ExportResult:
    """Turn a model into an artifact that any host plays. The model itself is left as it was.

    The folder gets ``model.nm``, where the model compiles ``model.nlc``, ``metadata.json``, ``validation.json``,
    ``report.html`` and ``samples/``. All of them appear at once, after validation: where that fails, or the process
    dies, an earlier artifact in the folder stays whole.

    Args:
        model: A live or an offline model.
        out_dir: Made if it does not exist. Files of an earlier artifact are replaced, other files stay.
        validate: Run every check of :func:`validate_artifact`, with this model for comparison.
        render_samples: Render a riff and a drum loop (of a generator: what it generates) beside the model, as WAV.
        mp3_samples: Put them into the metadata too, as MP3.
        allow_failed_validation: Put the artifact in place even if a check fails; the report says which.
        quality: Of the resampler: ``"high"``, or ``"fast"`` with half its delay.
        report: Draw ``report.html``, a page to look at and listen to; needs ``validate``. It takes a few seconds.
        progress: Called with what is being done now.
        allow_operators: What the model may use although artifacts may not, such as ``["aten::save"]``. Whoever loads it
            has to allow the same.
        capture: ``"auto"`` scripts the model, and where TorchScript refuses a network inside it captures that one (see
            :func:`neutone_like.graph.capture`), or else all that ``do_forward_pass`` does; ``"script"`` only scripts,
            ``"graph"`` captures in any case. ``ExportResult.way_in`` says which way was taken.
        compile: Write ``model.nlc`` beside a model that plays blocks, live or offline: without PyTorch, and many times
            faster (see :func:`compile_model`). Where that can't be, ``ExportResult.not_compiled`` says why, and
            TorchScript plays.
        formats: What else to write, of ``"onnx"``, ``"litert"``, ``"executorch"``, ``"openvino"`` and ``"pt2"``; each
            with a sidecar that names its states, and played against PyTorch before it is kept. Without ``"nlc"`` the
            model is not compiled.

    Raises:
        ModelError: The model is not declared correctly.
        ExportError: It can be neither scripted nor captured, uses an operator that artifacts may not, returns the wrong
            shape, fails a check, a format can't hold it, or the folder can't be written.
        MissingExtraError: A package that writes a format is missing.
    """
    others = other_formats(formats)
    compile = compile and "nlc" in formats
    allowed = checked_operators(allow_operators)
    model = cast(Model, unwrapped(model))
    with one_thread(), staged_directory(out_dir) as staging:
        written = write_files(
            model,
            staging,
            render_samples=render_samples,
            mp3_samples=mp3_samples,
            quality=quality,
            progress=progress,
            allow_operators=allowed,
            capture=capture,
        )
        refused = _compile(model, written.model_path, allowed, progress) if compile else NOT_ASKED_FOR
        more: tuple[WrittenFormat, ...] = ()
        if others:
            artifact = load_artifact(written.model_path, allow_operators=allowed)
            more = write_formats(artifact, others, staging, model=model, progress=progress)
        validation: ValidationReport | None = None
        if validate:
            artifact = load_artifact(written.model_path, allow_operators=allowed)
            validation = _validate(model, artifact, quality, progress)
            if not (validation.passed or allow_failed_validation):
                raise ExportError(_explain(validation))
            validation.write(staging / VALIDATION_NAME)
            if report:
                fresh = load_artifact(written.model_path, allow_operators=allowed)
                _draw(fresh, validation, staging / REPORT_NAME, progress)
    placed = written.moved_to(Path(out_dir))
    return ExportResult(
        directory=placed.directory,
        model_path=placed.model_path,
        metadata_path=placed.metadata_path,
        validation_path=placed.directory / VALIDATION_NAME if validation is not None else None,
        sample_paths=placed.sample_paths,
        metadata=placed.metadata,
        validation=validation,
        report_path=placed.directory / REPORT_NAME if validation is not None and report else None,
        way_in=placed.way_in,
        compiled_path=placed.directory / COMPILED_NAME if not refused else None,
        not_compiled=refused,
        formats=tuple(each.moved_to(placed.directory) for each in more),
    )


def other_formats(formats: Sequence[str]) -> list[str]:
    """Those of other engines among the formats that are asked for.

    Raises:
        ExportError: ``"nm"`` is missing, or one is unknown.
        MissingExtraError: What one needs is not installed.
    """
    if isinstance(formats, str | bytes) or not isinstance(formats, Iterable) or "nm" not in formats:
        raise ExportError(
            f"formats must hold 'nm', which an artifact is: formats=('nm', 'nlc', 'onnx'), got {formats!r}."
        )
    others = [each for each in dict.fromkeys(formats) if each not in OWN_FORMATS]
    for each in others:
        format_named(each).require()
    return others


def _compile(model: Model, path: Path, allowed: frozenset[str], progress: Progress | None) -> str:
    """Write the compiled model beside the ``.nm``; else why not."""
    if progress is not None:
        progress("Compiling")
    try:
        compile_artifact(load_artifact(path, allow_operators=allowed), model=model).write(path.with_name(COMPILED_NAME))
    except (CompileError, RuntimeEngineError) as error:
        return str(error)
    except Exception as error:  # whatever it is, TorchScript plays the model, and the result says so
        return f"the compiler failed, which is a mistake in it: {type(error).__name__}: {error}"
    return ""


def _validate(model: Model, artifact: Artifact, quality: str, progress: Progress | None) -> ValidationReport:
    def report_step(name: str) -> None:
        if progress is not None:
            progress(f"Validating: {name}")

    return validate_artifact(artifact, eager_model=model, quality=quality, progress=report_step)


def _draw(artifact: Artifact, validation: ValidationReport, target: Path, progress: Progress | None) -> None:
    if progress is not None:
        progress("Drawing the report")
    write_report(artifact, validation, target)


def _explain(report: ValidationReport) -> str:
    failures = report.failures
    lines = "\n".join(f"- {check.line()}" for check in failures)
    return (
        f"{report.artifact} failed {len(failures)} of {len(report.checks)} checks, and was not exported:\n{lines}\n"
        "Change the model as said there, or export it as it is with allow_failed_validation=True."
    )
