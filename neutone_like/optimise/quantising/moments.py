"""What weights are multiplied by while calibration audio plays: the first two moments of the inputs of each."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neutone_like.optimise.quantising.weights import Weight
from neutone_like.streaming import Conv1d
from neutone_like.streaming.framing import join

MOST_INPUTS = 1024
"""Of a weight: what is wider has moments of more than 8 MB, which take long to gather and to solve."""
_MOST_SEEN = 4  # observations of a call for each input; the rest tell nothing new
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, Conv1d)

Inputs = dict[str, Tensor]
"""By a weight's own name in its module: ``[observations, groups, inputs]``."""


@dataclass
class Moments:
    """Of a weight's inputs, float64.

    Attributes:
        products: ``[groups, inputs, inputs]``: the mean of their products.
        means: ``[groups, inputs]``.
        count: Observations.
    """

    products: Tensor
    means: Tensor
    count: int

    @classmethod
    def of(cls, seen: Tensor) -> "Moments":
        """Of ``[groups, observations, inputs]``."""
        count = max(1, seen.size(1))
        return cls(seen.transpose(1, 2) @ seen / count, seen.sum(1) / count, seen.size(1))

    def with_more(self, other: "Moments") -> "Moments":
        """Of both."""
        count = self.count + other.count
        share = other.count / max(1, count)
        return Moments(
            self.products + share * (other.products - self.products),
            self.means + share * (other.means - self.means),
            count,
        )

    def around_means(self) -> Tensor:
        """``[groups, inputs, inputs]``: the covariances."""
        return self.products - self.means[:, :, None] * self.means[:, None, :]


@contextmanager
def heard_moments(weights: Sequence[Weight]) -> Iterator[dict[str, Moments]]:
    """Gather for as long as this lasts, by a weight's name.

    Of linear, convolutional and recurrent layers that are called as modules, in the model or in copies that were made
    of it meanwhile. Weights of other layers, and of those inside TorchScript, are not in it.
    """
    moments: dict[str, Moments] = {}
    handles: list[Any] = []

    def add(name: str, inputs: Tensor) -> None:
        step = max(1, inputs.size(0) // max(1, _MOST_SEEN * inputs.size(2)))
        seen = Moments.of(inputs[::step].double().transpose(0, 1))
        before = moments.get(name)
        moments[name] = seen if before is None else before.with_more(seen)

    def hook_of(names: dict[str, str]) -> Callable[[Any, Any, Any], None]:
        def hear(module: Any, arguments: Any, named: Any) -> None:
            x = arguments[0] if arguments else named.get("input", named.get("x"))
            state = arguments[1] if len(arguments) > 1 else named.get("hx")
            if isinstance(x, Tensor):
                for own_name, inputs in _inputs_of(module, x, state).items():
                    if own_name in names and _is_multiplied(inputs, getattr(module, own_name)):
                        add(names[own_name], inputs)

        return hear

    for module, names in _by_module(weights):
        handles.append(module.register_forward_pre_hook(hook_of(names), with_kwargs=True))
    try:
        yield moments
    finally:
        for handle in handles:
            handle.remove()


def _by_module(weights: Sequence[Weight]) -> list[tuple[nn.Module, dict[str, str]]]:
    found: dict[int, tuple[nn.Module, dict[str, str]]] = {}
    for each in weights:
        if not isinstance(each.module, torch.jit.ScriptModule):
            found.setdefault(id(each.module), (each.module, {}))[1][each.own_name] = each.name
    return list(found.values())


def _is_multiplied(inputs: Tensor, weight: Tensor) -> bool:
    """Whether these can be what a weight is multiplied by: a layer with a ``forward`` of its own may take others."""
    return inputs.size(0) > 0 and inputs.size(2) == weight[0].numel() <= MOST_INPUTS


def _inputs_of(module: Any, x: Tensor, state: Any) -> Inputs:
    with torch.no_grad():
        x = x.detach()
        if isinstance(module, nn.Linear):
            return {"weight": x.reshape(-1, 1, x.size(-1))}
        if isinstance(module, _CONVOLUTIONS):
            return {"weight": _windows(module, x)}
        if isinstance(module, (nn.RNN, nn.GRU, nn.LSTM)):
            return _of_recurrent(module, x, state)
    return {}


def _windows(module: Any, x: Tensor) -> Tensor:
    """What each output of a convolution is a sum over, in the order of its weight; of long sound every so many."""
    groups, size = module.groups, module.weight[0].numel()
    nothing = x.new_zeros(0, groups, size)
    channels = x.size(1 - len(module.weight.shape)) if x.dim() >= len(module.weight.shape) - 1 else 0
    if size > MOST_INPUTS or channels != size // math.prod(module.weight.shape[2:]) * groups:
        return nothing
    if isinstance(module, Conv1d):
        x, padding = join(module.past, x), (0, 0)
        kernel, stride, dilation = (1, module.kernel_size), (1, module.stride), (1, module.dilation)
    else:
        kernel, stride, dilation = ((1,) * (2 - len(each)) + each for each in _sizes(module))
        padding = (dilation[0] * (kernel[0] - 1) // 2, dilation[1] * (kernel[1] - 1) // 2)
        if module.padding == "valid":
            padding = (0, 0)
        elif not isinstance(module.padding, str):
            padding = (0,) * (2 - len(module.padding)) + tuple(module.padding)
    if x.dim() == len(module.weight.shape) - 1:
        x = x.unsqueeze(0)
    x = x.unsqueeze(2) if x.dim() == 3 else x
    across, along = (
        (x.size(at + 2) + 2 * padding[at] - dilation[at] * (kernel[at] - 1) - 1) // stride[at] + 1 for at in range(2)
    )
    if across < 1 or along < 1:  # the layer makes it longer before it convolves
        return nothing
    step = min(along, max(1, len(x) * across * along // (_MOST_SEEN * size)))
    columns = F.unfold(x, kernel, dilation, padding, (stride[0], step * stride[1]))
    return columns.transpose(1, 2).reshape(-1, groups, size)


def _sizes(module: Any) -> tuple[tuple[int, ...], ...]:
    return tuple(module.kernel_size), tuple(module.stride), tuple(module.dilation)


def _of_recurrent(module: Any, x: Tensor, given: Any) -> Inputs:
    """The inputs of each layer, and the hidden states that its own outputs are."""
    if getattr(module, "proj_size", 0) or x.dim() != 3:
        return {}
    streamed = hasattr(module, "register_state")  # a streaming layer keeps its state itself, and time comes last
    x = x.transpose(1, 2) if streamed else x
    if x.size(2) != module.input_size:
        return {}
    directions, found = 1 + module.bidirectional, {}
    batch = x.size(0 if module.batch_first else 1)
    states = [module.hidden, getattr(module, "cell", None)] if streamed else _given_states(module, given, directions)
    for layer in range(module.num_layers):
        names = [f"l{layer}", f"l{layer}_reverse"][:directions]
        part = slice(layer * directions, (layer + 1) * directions)
        made = _one_layer(module, names, x, [_expanded(each, part, batch) for each in states])
        for direction, name in enumerate(names):
            heard = made[..., direction * module.hidden_size : (direction + 1) * module.hidden_size]
            found[f"weight_ih_{name}"] = x.reshape(-1, 1, x.size(2))
            found[f"weight_hh_{name}"] = heard.reshape(-1, 1, heard.size(2))
        x = made
    return found


def _given_states(module: Any, given: Any, directions: int) -> list[Any]:
    """What is no state, of a layer with a ``forward`` of its own, is none."""
    states = list(given) if isinstance(given, tuple) else [given]
    shape = (module.num_layers * directions, module.hidden_size)
    fit = (isinstance(each, Tensor) and each.dim() == 3 and (each.size(0), each.size(2)) == shape for each in states)
    return states if len(states) == 1 + isinstance(module, nn.LSTM) and all(fit) else []


def _expanded(state: Tensor | None, part: slice, batch: int) -> Tensor | None:
    return None if state is None else state[part].expand(-1, batch, -1).contiguous()


def _one_layer(module: Any, names: list[str], x: Tensor, states: list[Any]) -> Tensor:
    """A layer of several, as a module of one."""
    kind = next(each for each in (nn.RNN, nn.GRU, nn.LSTM) if isinstance(module, each))
    settings = {"nonlinearity": module.nonlinearity} if kind is nn.RNN else {}
    with torch.random.fork_rng(devices=[]):  # its own weights are drawn, and nobody else's are to be others for it
        alone: Any = kind(
            x.size(2), module.hidden_size, 1, bias=module.bias, batch_first=module.batch_first,
            bidirectional=module.bidirectional, **settings,
        )  # fmt: skip
    parts = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")[: 4 if module.bias else 2]
    for at, name in enumerate(names):
        for part in parts:
            getattr(alone, f"{part}_l0{'_reverse' * at}").data = getattr(module, f"{part}_{name}").detach()
    states = [each for each in states if each is not None]
    given = None if not states else tuple(states) if kind is nn.LSTM else states[0]
    return alone.to(x)(x, given)[0]
