"""The one call: a model with weights of fewer bits, and what that cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import nn

from neutone_like.artifact.writing.working_copy import working_copy
from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import AudioError, CompileError, ExportError, ModelError, ParameterError
from neutone_like.model import WaveformToWaveformBase
from neutone_like.numbers import as_finite_number
from neutone_like.optimise.played_cost import CompiledCost, compiled_costs
from neutone_like.optimise.quantising.activations import (
    clipped_at_full_scale,
    require_float_inputs,
    round_activations,
)
from neutone_like.optimise.quantising.audio import Judge, calibration_audio
from neutone_like.optimise.quantising.biases import bytes_saved, round_biases
from neutone_like.optimise.quantising.compensating import round_by_ear
from neutone_like.optimise.quantising.grid import Grid, Precision
from neutone_like.optimise.quantising.hearing import Hearing
from neutone_like.optimise.quantising.result import QuantisedActivations, QuantisedWeight, QuantiseResult
from neutone_like.optimise.quantising.sensitivity import (
    Errors,
    errors_alone,
    fewest_bits,
    put_back,
    round_weights,
    rounded,
)
from neutone_like.optimise.quantising.training import FineTune, train_on_grids
from neutone_like.optimise.quantising.weights import Weight, chosen_precisions, require_float_weights, weights_of
from neutone_like.optimise.sounds import Sounds
from neutone_like.torch_settings import plain_settings

GROUP_SIZES = (4, 8, 16, 32, 64, 128)
CHOICES = ("fp16", "int8", "int4", "mixed")


@checked_arguments(ParameterError, but=("model", "audio", "target", "fine_tune"))
@plain_settings()
def quantise(
    model: nn.Module,
    weights: Literal["fp16", "int8", "int4", "mixed"] = "int8",
    audio: Sounds | None = None,
    *,
    sample_rate: int | None = None,
    target: Sounds | None = None,
    group_size: int | None = None,
    activations: Literal["int8"] | None = None,
    layers: Mapping[str, Precision] | None = None,
    error_limit: float | None = None,
    fine_tune: FineTune | None = None,
    measure: bool = True,
) -> QuantiseResult:
    """Give a model's weights fewer bits, after training or while ``fine_tune`` trains on, and measure what that costs.

    The result is an ordinary model, whose float32 weights are whole multiples of a scale (or half-precision numbers).
    ``export_model`` stores them as such in ``model.nlc`` and ONNX files; in ``model.nm`` they stay float32.
    What is quantised: every float32 parameter of two dimensions or more that has at least 64 numbers, 4 of them
    for each output channel. Biases of these convolutions and linear layers become half-precision numbers; other biases,
    and norms, stay.

    Rounding hears the audio that is given: errors of weights whose inputs belong together cancel (Frantar et al.,
    "GPTQ", 2023), and biases take up what is left on average (Nagel et al., 2019), where that is nearer to the model
    than the nearest numbers are, on the loudest ten seconds of it and at several settings of its parameters.

    Args:
        model: A live model, or any network; it stays as it is.
        weights: The precision: ``"fp16"``; ``"int8"`` and ``"int4"`` with a scale for each output channel;
            ``"mixed"``: for each weight the fewest bits with which the whole stays within ``error_limit``.
        audio: What it hears and is judged by: an array ``(channels, samples)``, a sound file's path, or a list of them,
            of the kind that the model is played with and at its rate. ``None``: for a live model a second of noise that
            rises from -40 dB to full scale; a network is then not judged.
        sample_rate: Of arrays, in Hz.
        target: What the model should make of ``audio``, where that is known: errors before and after are told.
        group_size: 4, 8, 16, 32, 64 or 128 weights of a channel share a scale; ``None``: all of them.
        activations: ``"int8"``: convolutions and linear layers whose weights are int8 or int4 also round what they are
            given, to 256 numbers in a range that ``audio`` has shown. It is still multiplied as float32: slower here,
            for what computes in integers. Recurrent layers take what they are given as it is.
        layers: Other precisions (``"float32"`` leaves a weight, and what its layer is given, as it is) by patterns of
            names of weights or layers, such as ``{"head*": "float32"}``. Not with ``"mixed"``.
        error_limit: For ``"mixed"``, or with ``activations``: the most error-to-signal ratio against the model that was
            given. Layers whose activations cost most are left alone until that is met.
        fine_tune: A function that trains the copy that it is given in place, on weights that it sees rounded. Compare
            it with the same function on an unrounded copy: more training helps that too.
        measure: Compile a live model before and after, and tell the bytes of the file and the time of a block.

    Raises:
        ModelError: No model, nothing to quantise, weights or activations that are quantised already, or weights that
            are not finite, before or after ``fine_tune``.
        AudioError: No audio for activations; audio of another rate than the model's, silent or too short, or a model
            that makes silence of it.
        ParameterError: An unknown precision, group size or layer, or a limit that nothing meets.
        ExportError: The model can't be copied.
    """
    if not isinstance(model, nn.Module) or isinstance(model, torch.jit.ScriptModule):
        given = type(model).__name__ if isinstance(model, nn.Module) else repr(model)
        raise ModelError(
            f"model: expected a live model or another nn.Module in Python, got {given}. Quantise what an artifact "
            "was exported from, and export that again."
        )
    _require_choices(weights, group_size, activations, layers, error_limit)
    if activations is not None and audio is None:
        raise AudioError(
            "activations: how far they reach is found out while audio plays. Pass audio, of the kind and as loud as "
            'what the model is played with, such as audio="in.wav".'
        )
    if fine_tune is not None and not callable(fine_tune):
        raise ParameterError(f"fine_tune: expected a function that takes the model, got {fine_tune!r}.")
    original: Any = working_copy(model)
    copy: Any = working_copy(model)
    require_float_inputs(copy)
    found = weights_of(copy)
    precisions = chosen_precisions(found, "int4" if weights == "mixed" else weights, layers)
    require_float_weights(found, [precisions[each.name] for each in found])
    if all(each == "float32" for each in precisions.values()):
        raise ModelError("layers leaves every weight as it is, so that there is nothing to quantise.")
    judge = Judge.of(original, calibration_audio(original, audio, sample_rate), target)
    errors: Errors = {}
    if weights == "mixed" and error_limit is not None:
        errors = errors_alone(found, group_size, lambda: judge.error(copy))
        precisions = fewest_bits(found, errors, group_size, error_limit, lambda: judge.error(copy))
    changed = [each for each in found if precisions[each.name] != "float32"]
    table = tuple(_described(each, precisions[each.name], group_size, errors) for each in found)
    beside = sum(each.numel() * each.element_size() for each in nn.Module.parameters(copy))
    given = [each.detach().clone() for each in nn.Module.parameters(copy)]
    hears = audio is not None and (fine_tune is None or activations is not None)
    hearing = Hearing.of(original, judge.audio) if hears else None
    rounding = _Rounding(copy, changed, precisions, group_size, hearing, judge, activations, error_limit)
    if fine_tune is not None:
        inputs = rounding.trained(fine_tune)
    else:
        rounding.round_weights()
        if errors and error_limit is not None and judge.error(copy) > error_limit:
            put_back(nn.Module.parameters(copy), given)  # the nearest weights alone were found to be good enough
            round_weights(changed, rounding.grids)
        inputs = rounding.activations_rounded()
    inputs = clipped_at_full_scale(inputs, changed, lambda: judge.played_at_full_scale(copy))
    made = judge.played(copy)
    costs, note = _costs([original, copy]) if measure else ((None, None), "")
    return QuantiseResult(
        model=copy,
        weights=table,
        other_bytes=beside - sum(each.bytes_before for each in table),
        other_bytes_saved=bytes_saved(changed),
        quality=judge.quality(made),
        error_before=judge.target_error(judge.reference),
        error_after=judge.target_error(made),
        played_before=costs[0],
        played_after=costs[1],
        note=note,
        activations=inputs,
    )


@dataclass(frozen=True)
class _Rounding:
    """The copy that is rounded, and how.

    Attributes:
        copy: The model.
        changed: Its weights that are not left float32.
        precisions: By name.
        group_size: Of scales.
        hearing: What rounding hears; ``None``: nothing.
        judge: What the error limit is about.
        activations: Whether, and to what, they are rounded.
        error_limit: The most error, where there is one.
    """

    copy: Any
    changed: list[Weight]
    precisions: Mapping[str, Precision]
    group_size: int | None
    hearing: Hearing | None
    judge: Judge
    activations: str | None
    error_limit: float | None

    @property
    def grids(self) -> dict[str, Grid]:
        """Of weights, by name."""
        return {each.name: each.grid(self.precisions[each.name], self.group_size) for each in self.changed}

    def round_weights(self) -> None:
        """By ear where something is heard."""
        if self.hearing is not None:
            play, error = partial(self.hearing.play, self.copy), partial(self.hearing.error, self.copy)
            round_by_ear(self.changed, self.grids, play, error)
        else:
            round_weights(self.changed, self.grids)
            round_biases(self.changed)

    def trained(self, fine_tune: FineTune) -> tuple[QuantisedActivations, ...]:
        """Ranges of activations are those of the nearest weights, and stay while all is trained."""
        with rounded(self.changed, self.precisions, self.group_size):
            inputs = self.activations_rounded()
        train_on_grids(self.copy, self.changed, self.grids, fine_tune)
        round_biases(self.changed)
        return inputs

    def activations_rounded(self) -> tuple[QuantisedActivations, ...]:
        """Let layers of short weights round what they are given, where that is asked for."""
        if self.hearing is None or self.activations is None:
            return ()
        short = [each for each in self.changed if self.precisions[each.name] in ("int8", "int4")]
        play, error = partial(self.hearing.play, self.copy), partial(self.judge.error, self.copy)
        return round_activations(short, play, error, self.error_limit)


def _require_choices(
    weights: Any, group_size: Any, activations: Any, layers: Mapping[str, Precision] | None, error_limit: float | None
) -> None:
    if weights not in CHOICES:
        raise ParameterError(f"weights: expected one of {list(CHOICES)}, got {weights!r}.")
    if group_size is not None and (group_size not in GROUP_SIZES or weights == "fp16"):
        raise ParameterError(
            f'group_size: expected one of {list(GROUP_SIZES)} or None, and no weights="fp16", got '
            f"{group_size!r} with {weights!r}."
        )
    if activations not in (None, "int8") or (activations is not None and weights not in ("int8", "int4")):
        raise ParameterError(
            'activations: expected "int8", with weights="int8" or "int4", or None, got '
            f"{activations!r} with {weights!r}."
        )
    if (weights == "mixed" and error_limit is None) or (
        weights != "mixed" and not activations and error_limit is not None
    ):
        raise ParameterError(
            'error_limit belongs to weights="mixed", which needs it, and to activations: the most error-to-signal '
            f"ratio, such as 0.001. Got {error_limit!r} with {weights!r}."
        )
    if error_limit is not None and (as_finite_number(error_limit) is None or not error_limit > 0.0):
        raise ParameterError(f"error_limit: expected a finite number above 0, got {error_limit!r}.")
    if weights == "mixed" and layers:
        raise ParameterError("layers and weights='mixed' exclude each other: one of them chooses.")


def _described(weight: Weight, precision: Precision, group_size: int | None, errors: Errors) -> QuantisedWeight:
    value = weight.value
    return QuantisedWeight(
        name=weight.name,
        precision=precision,
        shape=tuple(value.shape),
        bytes_before=4 * value.numel(),
        bytes_after=-(-weight.grid(precision, group_size).stored_bits(value) // 8),
        error_alone=errors[weight.name][precision] if errors else None,
    )


def _costs(models: Sequence[Any]) -> tuple[tuple[CompiledCost | None, CompiledCost | None], str]:
    """Of both, or why they were not measured."""
    if not all(isinstance(each, WaveformToWaveformBase) for each in models):
        return (None, None), "bytes and time as played were not measured: only live models are"
    try:
        before, after = compiled_costs(models)
    except (CompileError, ExportError) as error:
        return (None, None), f"bytes and time as played were not measured: {error}"
    return (before, after), ""
