"""Proof that a network streams: the same in any blocks, causal, as late as declared, and forgetting on a reset."""

import copy
import math
import random
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError
from neutone_like.numbers import as_whole_number, real_number, whole_number
from neutone_like.streaming.culprit import Culprits
from neutone_like.streaming.layer import StreamingLayer, block_multiple, streaming_layers
from neutone_like.streaming.report import StreamingCheck, StreamingReport
from neutone_like.streaming.trials import difference, fresh, noise_for, random_blocks
from neutone_like.torch_settings import plain_settings

MAXIMUM_SEED = (1 << 63) - 1
_FIELD_TRIALS = 16
_LONGEST_SILENCE = 1 << 16  # samples, after which something must come of a signal


@checked_arguments(ModelError)
@plain_settings()
def verify_streaming(
    network: nn.Module,
    reference: nn.Module | None = None,
    *,
    example: Tensor | None = None,
    chunkings: int = 200,
    tolerance: float = 1e-5,
    seed: int = 0,
) -> StreamingReport:
    """Measure whether ``network`` keeps the contract of :class:`StreamingLayer`; it stays as it was.

    Args:
        reference: The ordinary network, given whole signals: ``streamed[n + delay_samples] == reference[n]``.
        example: ``[batch, channels, samples]``, a signal to test with; ``None``: noise for the first layer's channels.
        chunkings: How many random ways to cut the signal into blocks.
        tolerance: Largest difference, as a part of the output's peak.

    Raises:
        ModelError: ``example`` is no ``[batch, channels, samples]``, or shorter than one block; a number is out of
            range; a layer declares what is no number of samples.
    """
    seed = whole_number(seed, "seed", 0, MAXIMUM_SEED, error=ModelError)
    chunkings = whole_number(chunkings, "chunkings", 0, 1_000_000, error=ModelError)
    tolerance = real_number(tolerance, "tolerance", 0.0, 1e9, error=ModelError)
    for _, layer in reversed(list(streaming_layers(network))):  # those inside, of which others add it up, come last
        _require_declared(layer)
    x = _noise(network, seed) if example is None else example.detach()
    if not x.is_floating_point() or x.is_meta:
        raise ModelError(f"example must be a signal of floating-point numbers, got {x.dtype} on {x.device}.")
    multiple = block_multiple(network)
    if x.dim() != 3 or x.size(2) < 2 * multiple:
        raise ModelError(
            f"example must be [batch, channels, samples], at least {2 * multiple} samples, got {list(x.shape)}."
        )
    x = x[:, :, : x.size(2) // multiple * multiple]
    chunked = ("any blocks equal the whole", lambda m, x: _chunked_error(m, x, chunkings, seed))
    plain: list[tuple[str, Callable[[nn.Module, Tensor], float]]] = [
        chunked,
        ("the future changes nothing", _causality_error),
        ("a reset repeats", _reset_error),
        ("a batch is independent", _batch_error),
        ("gradients as of the whole", _gradient_error),
        ("finite", _finite_error),
    ]
    batch_size = getattr(network, "batch_size", None)
    whole = fresh(network)  # what it raises on the example is the caller's to see
    with torch.no_grad():
        whole(x.clone())
    culprits = Culprits(network, x)
    checks = [
        _skipped(name, f"it takes a batch of {batch_size} alone")
        if measure is _batch_error and batch_size is not None
        else _check(name, measure, culprits, x, tolerance)
        for name, measure in plain
    ]
    checks.append(_receptive_field_of_all(culprits, x))
    checks += _against_reference(culprits, reference, x, tolerance)
    return StreamingReport(tuple(checks))


def _require_declared(layer: StreamingLayer) -> None:
    """Raise :class:`ModelError` where what a layer says of itself is no number of samples."""
    for name, least in (("receptive_field_samples", 0), ("delay_samples", 0), ("block_multiple_samples", 1)):
        declared: Any = getattr(layer, name)
        may_be_none = name == "receptive_field_samples"
        number = as_whole_number(declared)
        if (number is None or number < least) and not (may_be_none and declared is None):
            words = " (None: endless, or not known)" if may_be_none else ""
            raise ModelError(
                f"{type(layer).__name__}.{name} must be a whole number from {least}{words}, got {declared!r:.100}."
            )
    ratio: Any = layer.ratio
    if not isinstance(ratio, (int, Fraction)) or ratio <= 0:
        raise ModelError(f"{type(layer).__name__}.ratio must be a Fraction above 0, got {ratio!r:.100}.")


def _skipped(name: str, note: str) -> StreamingCheck:
    return StreamingCheck(name, 0.0, 0.0, True, note=note, skipped=True)


def _check(
    name: str, measure: Callable[[nn.Module, Tensor], float], culprits: Culprits, x: Tensor, allowed: float
) -> StreamingCheck:
    error, note = float("inf"), ""
    try:
        error = measure(culprits.network, x)
    except Exception as raised:  # whatever a layer raises on a block or a batch that it should take
        note = f": {type(raised).__name__}: {raised}".partition("\n")[0]
    if error <= allowed:
        return StreamingCheck(name, error, allowed, True)
    if math.isfinite(error) and x.dtype == torch.float32:
        note = _without_rounding(measure, culprits.network, x, allowed)
    culprit = culprits.name(lambda layer, heard, _: not measure(layer, heard) <= allowed)
    return StreamingCheck(name, error, allowed, False, culprit, note)


def _without_rounding(
    measure: Callable[[nn.Module, Tensor], float], network: nn.Module, x: Tensor, allowed: float
) -> str:
    """A note where float64 leaves nothing of the error, as where a norm divides what is nearly nothing."""
    try:
        exact = measure(copy.deepcopy(fresh(network)).double(), x.double())
    except Exception:  # of a layer that takes no float64: nothing is known then
        return ""
    return f": {exact:.1e} in float64, so that it is float32's rounding" if exact <= allowed / 1000 else ""


def _noise(network: nn.Module, seed: int) -> Tensor:
    """Long enough to see the whole receptive field, and that once something comes."""
    reach = (network.receptive_field_samples or 64) + _late(network) if isinstance(network, StreamingLayer) else 64
    multiple = block_multiple(network)
    return noise_for(network, multiple * (-(-2 * reach // multiple) + 32), seed)


def _late(layer: StreamingLayer) -> int:
    """The delay in input samples."""
    return math.ceil(layer.delay_samples / layer.ratio)


def _run(network: nn.Module, blocks: list[Tensor]) -> Tensor:
    """Each is a copy: layers that work in place may change it."""
    return torch.cat([network(block.clone()) for block in blocks], 2)


@torch.no_grad()
def _chunked_error(network: nn.Module, x: Tensor, chunkings: int, seed: int) -> float:
    rng, multiple = random.Random(seed), block_multiple(network)
    if x.size(2) < 2 * multiple:
        return 0.0
    whole, worst = _run(fresh(network), [x]), 0.0
    for trial in range(chunkings):
        blocks = random_blocks(x, multiple, rng, singles=trial == 0)
        worst = max(worst, difference(_run(fresh(network), blocks), whole))
    return worst


@torch.no_grad()
def _causality_error(network: nn.Module, x: Tensor) -> float:
    multiple, worst = block_multiple(network), 0.0
    whole = _run(fresh(network), [x])
    for unit in range(1, x.size(2) // multiple, max(1, x.size(2) // multiple // 32)):
        known = unit * multiple
        other = torch.cat((x[:, :, :known], torch.randn_like(x[:, :, known:])), 2)
        given = known * whole.size(2) // x.size(2)
        worst = max(worst, difference(fresh(network)(other)[:, :, :given], whole[:, :, :given]))
    return worst


@torch.no_grad()
def _reset_error(network: nn.Module, x: Tensor) -> float:
    trial = fresh(network)
    first = _run(trial, [x])
    for _, layer in streaming_layers(trial):
        layer.reset_streaming_state()
    if isinstance(reset := getattr(trial, "reset_model", None), Callable):
        reset()
    return difference(_run(trial, [x]), first)


@torch.no_grad()
def _batch_error(network: nn.Module, x: Tensor) -> float:
    both = fresh(network)(torch.cat((x[:1], torch.randn_like(x[:1]))))
    return difference(both[:1], _run(fresh(network), [x[:1]]))


@torch.enable_grad()
def _gradient_error(network: nn.Module, x: Tensor) -> float:
    """Through blocks, the gradient by the input must be that through the whole: none is lost in the state."""
    middle = x.size(2) // block_multiple(network) // 2 * block_multiple(network)
    gradients: list[Tensor] = []
    for parts in ([x.size(2)], [middle, x.size(2) - middle]):
        heard = x.clone().requires_grad_()
        y = _run(fresh(network), [part for part in heard.split(parts, 2) if part.size(2)])
        if not y.requires_grad:
            return float("inf")
        gradient = _gradient((y * _weights(y)).sum(), heard)
        gradients.append(torch.zeros_like(x) if gradient is None else gradient)
    return difference(gradients[1], gradients[0])


def _weights(y: Tensor) -> Tensor:
    """Other ones for each channel and sample: what normalisation makes has a sum, and a power, that never changes."""
    return torch.randn(y.shape, generator=torch.Generator().manual_seed(5)).to(y)


def _gradient(y: Tensor, x: Tensor) -> Tensor | None:
    """``None`` where ``y`` does not depend on ``x``."""
    return torch.autograd.grad(y, x, retain_graph=True, allow_unused=True)[0]


@torch.no_grad()
def _finite_error(network: nn.Module, x: Tensor) -> float:
    trial = fresh(network)
    finite = all(bool(torch.isfinite(trial(block.clone())).all()) for block in (x, torch.zeros_like(x), 1000.0 * x))
    return 0.0 if finite else float("inf")


def _receptive_field_of_all(culprits: Culprits, x: Tensor) -> StreamingCheck:
    """Of the network, where it declares one; of the layer that is wrong, where it doesn't, or its own is wrong."""
    whole = _receptive_field(culprits.network, x)
    if whole.passed and not whole.skipped:
        return whole
    for name, layer in reversed(culprits.streaming()):  # those inside come after what they are in
        alone = _receptive_field(layer, culprits.heard[name])
        if not alone.passed:
            return replace(alone, layer=f"{name} ({type(layer).__name__})".strip())
    return whole


@torch.enable_grad()
def _receptive_field(network: nn.Module, x: Tensor) -> StreamingCheck:
    name = "receptive field, samples"
    declared = network.receptive_field_samples if isinstance(network, StreamingLayer) else None
    if declared is None or not isinstance(network, StreamingLayer):
        return _skipped(name, "none declared")
    if x.size(2) < declared + _late(network) + 2 * block_multiple(network):
        return StreamingCheck(name, 0.0, declared, True, note=f"example is too short for {declared}", skipped=True)
    exact, trial = network.receptive_field_is_exact, fresh(network)
    try:
        widest = _widest_field(trial, network, x, declared)
        if exact and widest < declared:  # a field is that of the layers, not of zeros in their weights
            widest = max(widest, _widest_field(_without_zeros(trial), network, x, declared))
        if exact and widest < declared:  # nor of what a ReLU holds back, whose input is below 0 at all times
            widest = max(widest, _widest_field(_without_signs(trial), network, x.abs(), declared))
    except RuntimeError as error:
        if "modified by an inplace operation" not in str(error):  # where a layer writes into what the one before needs
            raise
        return _skipped(name, f"no gradient: {error}".partition("\n")[0])
    if widest == 0 and not x.any():  # as behind another layer's delay
        return _skipped(name, "nothing of the example reaches it")
    if widest == 0 and (longer := _until_heard(network, x)) is not x:
        return _receptive_field(network, longer)
    return StreamingCheck(name, widest, declared, widest == declared if exact else widest <= declared)


@torch.no_grad()
def _until_heard(network: nn.Module, x: Tensor) -> Tensor:
    """The signal, as often as it takes until something of it comes through; itself where nothing ever does."""
    longer = x
    while not bool(_run(fresh(network), [longer]).any()):
        longer = torch.cat((longer, longer), 2)
        if longer.size(2) > _LONGEST_SILENCE:
            return x
    return longer


def _widest_field(trial: nn.Module, network: StreamingLayer, x: Tensor, declared: int) -> int:
    """Input samples that one output sample of ``trial`` depends on; once it is as many as declared, no further."""
    widest, outputs = 0, max(1, int(block_multiple(network) * network.ratio))
    heard = x.clone().requires_grad_()
    y = _run(trial, [heard])
    # What a layer such as ReLU holds back at one time, it lets through at another.
    first = max(0, y.size(2) - max(outputs, _FIELD_TRIALS))
    for n in range(y.size(2) - 1, first - 1, -1) if y.requires_grad else ():
        if widest >= declared and n < y.size(2) - outputs:
            break
        gradient = _gradient((y * _weights(y))[:, :, n].sum(), heard)
        times = torch.zeros(0) if gradient is None else gradient.abs().sum((0, 1)).nonzero()
        widest = max(widest, int(times.max() - times.min()) + 1 if len(times) else 0)
    return widest


@torch.no_grad()
def _without_zeros(network: nn.Module) -> nn.Module:
    """A copy, whose weights that are 0, as where a kernel was pruned or an average has dead ends, are not."""
    trial = copy.deepcopy(fresh(network))  # whose weights are its own
    generator = torch.Generator().manual_seed(6)
    for weight in trial.parameters():
        if weight.is_floating_point() or weight.is_complex():
            some = torch.rand(weight.shape, generator=generator).add_(0.1).to(weight)
            weight.copy_(torch.where(weight == 0, some, weight))
    return trial


@torch.no_grad()
def _without_signs(network: nn.Module) -> nn.Module:
    """A copy through which what is above 0 stays so."""
    trial = _without_zeros(network)
    for weight in trial.parameters():
        if weight.is_floating_point():
            weight.abs_()
    return trial


@torch.no_grad()
def _against_reference(
    culprits: Culprits, reference: nn.Module | None, x: Tensor, tolerance: float
) -> list[StreamingCheck]:
    names = ("equals the reference", "delay, samples")
    if reference is None:
        return [_skipped(name, "no reference was given") for name in names]
    declared = _declared_delay(culprits.network)
    streamed, whole = _run(fresh(culprits.network), [x]), _run(copy.deepcopy(reference), [x])
    measured = min(range(max(1, streamed.size(2) // 2)), key=lambda delay: _error_at(delay, streamed, whole))
    error, where = _error_at(declared, streamed, whole), ""

    def differs(layer: nn.Module, heard: Tensor, name: str) -> bool:
        """From the layer of the same name in the reference, where it has one."""
        ordinary = copy.deepcopy(reference.get_submodule(name))
        return not _error_at(_declared_delay(layer), _run(fresh(layer), [heard]), _run(ordinary, [heard])) <= tolerance

    if error > tolerance:
        known = {name for name, _ in reference.named_modules()}
        where = culprits.name(lambda layer, heard, name: name in known and differs(layer, heard, name))
    return [
        StreamingCheck(names[0], error, tolerance, error <= tolerance, where),
        StreamingCheck(names[1], measured, declared, measured == declared, where if measured != declared else ""),
    ]


def _declared_delay(layer: nn.Module) -> int:
    return int(getattr(layer, "delay_samples", 0))


def _error_at(delay: int, streamed: Tensor, whole: Tensor) -> float:
    samples = min(streamed.size(2) - delay, whole.size(2))
    if samples <= 0:
        return float("inf")  # nothing is left to compare
    return difference(streamed[:, :, delay : delay + samples], whole[:, :, :samples])
