"""A network without the channels, heads and units that count least: captured, followed, cut, and proven."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from torch import nn

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError, ParameterError
from neutone_like.graph import own_copy
from neutone_like.numbers import as_whole_number
from neutone_like.optimise.pruning.blocks import without_blocks
from neutone_like.optimise.pruning.cutting import without_norms_of_weights
from neutone_like.optimise.pruning.fine_tuning import FineTune, trained
from neutone_like.optimise.pruning.followed import PROGRAM, Followed
from neutone_like.optimise.pruning.plan import ADVICE, KINDS, checked_ratio, ratio_of_each
from neutone_like.optimise.pruning.result import PrunedLayers, PruneResult
from neutone_like.optimise.pruning.stepping import Schedule, Stepped, prune_in_steps
from neutone_like.optimise.pruning.subject import require_network, subject_of
from neutone_like.optimise.pruning.timing import Times, measured
from neutone_like.optimise.pruning.zeros import sparse
from neutone_like.torch_settings import plain_settings


@checked_arguments(ParameterError, but=("network", "ratio", "ratios"))
@plain_settings()
def prune(
    network: nn.Module,
    example: Any = None,
    *,
    ratio: float = 0.5,
    ratios: Mapping[str, float] | None = None,
    kinds: Sequence[str] = KINDS,
    calibration: Sequence[Any] | None = None,
    fine_tune: FineTune | None = None,
    steps: int = 1,
    checkpoint: str | PathLike[str] | None = None,
    measure: bool = False,
) -> PruneResult:
    """Cut whole channels, attention heads and recurrent units, so that what is left is a smaller ordinary network.

    The network is captured, every channel is followed through it, and those that are added, multiplied, gated or
    concatenated are cut together. The smaller network is played beside the whole one with the same channels silenced
    before it is returned or trained: it differs by at most 1e-6 of the peak. It still has to be trained on, as a rule.

    Args:
        network: A live model, or any network with an example. It stays as it was. Weight norm becomes plain weights.
        example: What the network is called with, as for :func:`~neutone_like.graph.capture`: a tensor, or a tuple of
            arguments; ``None``: noise for the first layer's channels. Not for models.
        ratio: The share that is cut of the channels, heads or units of each layer: from 0 up to, and without, 1.
        ratios: By layer's name another share; layers whose channels are added have one together.
        kinds: Which of ``"channels"``, ``"heads"`` and ``"units"``. ``"layers"`` leaves out blocks of lists that add to
            what passes them; ``"weights"``, alone, sets single weights to zero, which makes nothing smaller or faster.
        calibration: Sounds to judge by: consecutive blocks of what the network is called with, each as long as the
            example. What gives the least energy to the layers after it is cut first. ``None``: judged by weights.
        fine_tune: Trains the smaller network where it is: a function of it, or :class:`FineTuning`.
        steps: Cut little by little, with ``fine_tune`` after each: first much, at the end little.
        checkpoint: A folder that holds what every step made. The same call goes on there after a kill.
        measure: Tell the time of both: of live models compiled, a block; of others a call in TorchScript.

    Raises:
        ModelError: Nothing can be cut, with the layers and why; sizes are written into the code, with the line; or the
            smaller network is not equal.
        ParameterError: A ratio out of range, a layer or kind that is not there.
        TrainingError: Weights or the loss are not finite, or the checkpoint is of something else.
        CaptureError: The network can't be captured.
    """
    require_network(network)
    share, own = checked_ratio("ratio", ratio), _by_layer(ratios)
    _check_options(kinds, steps, fine_tune, calibration, checkpoint)
    folder = None if checkpoint is None else Path(checkpoint)
    plain = own_copy(network)
    was_training = {name: module.training for name, module in plain.named_modules()}
    norms = without_norms_of_weights(plain.eval())
    followed = Followed(subject_of(plain, example))
    shapes = {name: list(each.shape) for name, each in plain.state_dict().items()}
    settings = repr([share, sorted(own.items()), list(kinds), steps, shapes])
    if "weights" in kinds:
        shares = {name: checked_ratio(f"ratios[{name!r}]", each) for name, each in own.items()}
        smaller, table = sparse(followed, share, shares, fine_tune, folder)
        stepped = Stepped(smaller, table, 0.0)
    else:
        stepped = _smaller(
            followed, example, share, own, kinds, calibration, Schedule(steps, fine_tune, folder, settings)
        )
    for name, module in stepped.model.named_modules():
        module.training = was_training.get(name, bool(network.training))
    times = measured(followed.subject, stepped.model) if measure else Times()
    return PruneResult(
        model=stepped.model,
        layers=stepped.table,
        kept_whole=tuple(followed.whole),
        parameters_before=sum(each.numel() for each in nn.Module.parameters(plain)),
        parameters_after=sum(each.numel() for each in nn.Module.parameters(stepped.model)),
        zeros_after=sum(int((each == 0).sum()) for each in nn.Module.parameters(stepped.model)),
        bytes_before=_bytes(plain),
        bytes_after=_bytes(stepped.model),
        equality=stepped.equality,
        norms_removed=tuple(dict.fromkeys(norms)),
        **{name: getattr(times, name) for name in Times.__dataclass_fields__},
    )


def _smaller(
    followed: Followed,
    example: Any,
    share: float,
    own: Mapping[str, float],
    kinds: Sequence[str],
    calibration: Sequence[Any] | None,
    schedule: Schedule,
) -> Stepped:
    """First blocks, which are trained at once, then what is in the others."""
    rows: tuple[PrunedLayers, ...] = ()
    equality = 0.0
    left = dict(own)
    if "layers" in kinds:
        names = [name for name in own if _is_list(followed.subject.network, name)]
        lists = {name: checked_ratio(f"ratios[{name!r}]", left.pop(name)) for name in names}
        model, rows, equality = without_blocks(followed, lambda name: lists.get(name, share), calibration)
        alone = len(kinds) == 1
        if alone and left:
            raise ParameterError(
                f"ratios: {sorted(left)} are no lists of layers, which is what kinds=('layers',) cuts."
            )
        if alone and schedule.fine_tune is not None:
            inside = None if schedule.checkpoint is None else schedule.checkpoint / "training-1.pt"
            trained(model, schedule.fine_tune, inside, schedule.settings)
        if alone:
            return Stepped(model, rows, equality)
        followed = Followed(subject_of(model, example))
    if not any(group.kind in kinds for group in followed.peers):
        raise ModelError(_nothing(type(followed.subject.network).__name__, followed, kinds))
    shares = ratio_of_each(followed.peers, followed.whole, share, left)
    shares = [each if group.kind in kinds else 0.0 for each, group in zip(shares, followed.peers, strict=True)]
    try:
        stepped = prune_in_steps(
            followed, shares, lambda each: Followed(subject_of(each, example)), calibration, schedule
        )
    except ModelError as error:
        raise ModelError(f"{error}{_to_blame(followed, shares)}") from error
    return replace(stepped, table=(*rows, *stepped.table), equality=max(equality, stepped.equality))


def _to_blame(followed: Followed, shares: Sequence[float]) -> str:
    """The first layers that, left whole, make it run and equal."""
    for at, group in enumerate(followed.peers[:_MOST_BLAMED]):
        if shares[at] > 0.0:
            try:
                followed.without(followed.dead([0.0 if other == at else each for other, each in enumerate(shares)]))
            except ModelError:
                continue
            return f"\nIt can be pruned with ratios={{{group.layers[0]!r}: 0.0}}."
    for kind in KINDS:
        fewer = [0.0 if group.kind == kind else each for each, group in zip(shares, followed.peers, strict=True)]
        if fewer != list(shares) and any(fewer):
            try:
                followed.without(followed.dead(fewer))
            except ModelError:
                continue
            return f"\nIt can be pruned without {kind}: kinds={tuple(each for each in KINDS if each != kind)}."
    return ""


_MOST_BLAMED = 12


def _is_list(network: nn.Module, name: str) -> bool:
    return isinstance(dict(network.named_modules()).get(name), nn.ModuleList | nn.Sequential)


def _nothing(network: str, followed: Followed, kinds: Sequence[str]) -> str:
    if followed.peers:
        there = ", ".join(sorted({group.kind for group in followed.peers}))
        return f"{network} has none of {', '.join(kinds)} that can be cut; it has {there}."
    if not followed.whole:
        return f"{network} has no layer with several channels, heads or units between its input and its output."
    named = "\n".join(f"- {each.layer} ({each.size}): {each.reason}" for each in followed.whole[:8])
    advice = "" if all(each.reason == PROGRAM for each in followed.whole) else f"\n{ADVICE}."
    return f"Nothing of {network} can be pruned so that the rest stays as it is:\n{named}{advice}"


def _check_options(kinds: Sequence[str], steps: Any, fine_tune: Any, calibration: Any, checkpoint: Any) -> None:
    if len(kinds) == 0 or set(kinds) - {*KINDS, "layers", "weights"}:
        known = ", ".join(map(repr, (*KINDS, "layers", "weights")))
        raise ParameterError(f"kinds must be some of {known}, got {kinds!r}.")
    if "weights" in kinds and len(kinds) > 1:
        raise ParameterError(
            f"kinds={kinds!r}: single weights are set to zero, all else is cut. Do it one after another."
        )
    if as_whole_number(steps) is None or not 1 <= steps <= 100:
        raise ParameterError(f"steps must be a whole number from 1 to 100, got {steps!r}.")
    alone = kinds[0] if len(kinds) == 1 and kinds[0] in ("layers", "weights") else None
    if steps > 1 and alone is not None:
        raise ParameterError(f"steps={steps}: {alone} go in one step. Leave steps out, or add other kinds.")
    if alone == "weights" and calibration is not None:
        raise ParameterError("calibration: single weights are chosen by their size alone. Leave it out.")
    if checkpoint is not None and fine_tune is None:
        raise ParameterError(
            "checkpoint keeps what fine_tune made, and there is none. Give fine_tune, or leave it out."
        )
    if steps > 1 and fine_tune is None:
        raise ParameterError(
            f"steps={steps} without fine_tune: without training in between they are the same as one. Give fine_tune."
        )


def _by_layer(ratios: Any) -> dict[str, float]:
    if ratios is not None and not (isinstance(ratios, Mapping) and all(isinstance(each, str) for each in ratios)):
        raise ParameterError(f"ratios must be a dictionary of shares by layers' names, got {ratios!r:.200}.")
    return dict(ratios or {})


def _bytes(network: nn.Module) -> int:
    return sum(each.numel() * each.element_size() for each in (*network.parameters(), *network.buffers()))
