"""Which layers round what they are given to 8 bits, on which grid, and what that costs."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from torch import nn

from neutone_like.errors import AudioError, ModelError, ParameterError
from neutone_like.optimise.quantising.input_ranges import Clipped, InputRanges, hearing_inputs
from neutone_like.optimise.quantising.result import QuantisedActivations
from neutone_like.optimise.quantising.rounded_layers import InputGrid, can_round, leave_inputs, round_inputs, rounds
from neutone_like.optimise.quantising.weights import Weight

Play = Callable[[], object]
Measure = Callable[[], float]


def require_float_inputs(model: nn.Module) -> None:
    """Refuse a model whose activations are quantised already.

    Raises:
        ModelError: Names a layer.
    """
    for name, module in model.named_modules():
        if rounds(module):
            raise ModelError(
                f"{name} is quantised already: it rounds what it is given to 8 bits. Quantise the model that it was "
                "made from."
            )


def round_activations(
    weights: Sequence[Weight], play: Play, error: Measure, error_limit: float | None
) -> tuple[QuantisedActivations, ...]:
    """Let layers round what they are given, and say which.

    Args:
        weights: Those that are quantised; the layers that they belong to are meant.
        play: Plays the calibration audio.
        error: How far what the model gives is from the original.
        error_limit: Layers that cost most are left alone until the whole costs no more; ``None``: none is.

    Raises:
        ModelError: There is no layer that could.
        ParameterError: Nothing meets the limit.
    """
    layers = {_layer_of(each): each.module for each in weights}
    reasons = {_layer_of(each): _not_rounded(each) for each in weights}
    candidates = {name: each for name, each in layers.items() if not reasons[name]}
    ranges = InputRanges()
    with hearing_inputs(candidates, ranges.hear):
        play()
    grids = ranges.grids()
    for name in candidates.keys() - grids.keys():
        reasons[name] = "it was given silence" if ranges.was_called(name) else "it was not called as a layer"
    if not grids:
        told = "; ".join(f"{name or 'the network'}: {reason}" for name, reason in reasons.items())
        raise ModelError(f"activations: no layer can round what it is given. {told}. Leave activations out.")
    _round(candidates, grids)
    alone = {} if error_limit is None else _errors_alone(candidates, grids, error)
    if error_limit is not None:
        for name in _too_dear(candidates, grids, alone, error, error_limit):
            reasons[name] = "it costs too much"
    return tuple(
        QuantisedActivations(
            name=name,
            precision="float32" if reason else "int8",
            scale=None if reason else grids[name].scale,
            zero_point=None if reason else grids[name].zero_point,
            error_alone=alone.get(name),
            clipped_at_full_scale=None,
            reason=reason,
        )
        for name, reason in reasons.items()
    )


def clipped_at_full_scale(
    activations: Sequence[QuantisedActivations], weights: Sequence[Weight], play: Play
) -> tuple[QuantisedActivations, ...]:
    """The same, with the share of what each layer is given that its grid clips while sound of full scale plays."""
    grids = {
        each.name: InputGrid(each.scale, each.zero_point)
        for each in activations
        if each.scale is not None and each.zero_point is not None
    }
    if not grids:
        return tuple(activations)
    layers = {_layer_of(each): each.module for each in weights}
    clipped = Clipped(grids)
    with hearing_inputs({name: layers[name] for name in grids}, clipped.hear), suppress(AudioError):
        play()  # what it makes of that may be infinite, and counts until then
    return tuple(
        replace(each, clipped_at_full_scale=clipped.share(each.name)) if each.name in grids else each
        for each in activations
    )


def _layer_of(weight: Weight) -> str:
    return weight.name.rpartition(".")[0]


def _not_rounded(weight: Weight) -> str:
    """Why its layer can't; empty: it can."""
    if weight.own_name.startswith(("weight_ih", "weight_hh")):
        return "recurrent layers stay as they are"
    if not can_round(weight.module):
        return f"{type(weight.module).__name__} is no class of layer that is known here"
    return ""


def _errors_alone(layers: Mapping[str, nn.Module], grids: Mapping[str, InputGrid], error: Measure) -> dict[str, float]:
    found: dict[str, float] = {}
    _leave(layers, grids)
    for name, grid in grids.items():
        round_inputs(layers[name], grid)
        found[name] = error()
        leave_inputs(layers[name])
    _round(layers, grids)
    return found


def _too_dear(
    layers: Mapping[str, nn.Module],
    grids: Mapping[str, InputGrid],
    alone: Mapping[str, float],
    error: Measure,
    limit: float,
) -> list[str]:
    """The layers that are left alone, those that cost most first, until it is enough.

    Raises:
        ParameterError: It never is.
    """
    left: list[str] = []
    measured = 0.0
    for name in sorted(grids, key=lambda each: -alone[each]):
        measured = error()
        if measured <= limit:
            return left
        leave_inputs(layers[name])
        left.append(name)
    raise ParameterError(
        f"error_limit={limit:g}: no layer's activations can be quantised for so little; the last try gave "
        f"{measured:.3g}, and the weights alone {error():.3g}. Allow more, or leave activations out."
    )


def _round(layers: Mapping[str, nn.Module], grids: Mapping[str, InputGrid]) -> None:
    for name, grid in grids.items():
        round_inputs(layers[name], grid)


def _leave(layers: Mapping[str, nn.Module], grids: Mapping[str, InputGrid]) -> None:
    for name in grids:
        leave_inputs(layers[name])
