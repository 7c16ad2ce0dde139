"""Tensors that view a small part of a large memory get one of their own: files hold whole memories, not views."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn


def compact_tensors(model: nn.Module, shared: set[int]) -> None:
    """Give every weight, buffer and attribute of ``model`` no more memory than it shows. Values, strides and what
    overlaps (tied weights) stay.

    Args:
        model: Changed in place.
        shared: ``id`` of attribute values that somebody else uses too, and that stay as they are.
    """
    by_memory: dict[int, dict[int, Tensor]] = defaultdict(dict)
    for tensor in _tensors(model, shared):
        if _has_plain_memory(tensor):
            by_memory[tensor.untyped_storage().data_ptr()][id(tensor)] = tensor
    for views in by_memory.values():
        _compact(list(views.values()))


def _compact(views: list[Tensor]) -> None:
    """Views of one memory: those that overlap move together."""
    available = views[0].untyped_storage().nbytes()
    if _bytes(views) >= available:
        return
    views.sort(key=lambda view: _extent(view)[0])
    group: list[Tensor] = []
    end = 0
    for view in views:
        first, last = _extent(view)
        if group and first >= end:
            _move(group)
            group = []
        group.append(view)
        end = max(end, last)
    _move(group)


def _move(group: list[Tensor]) -> None:
    start, end = _extent(group[0])[0], max(_extent(view)[1] for view in group)
    if _bytes(group) >= end - start:
        _move_together(group)
        return
    for part in _sharing(group):
        if len(part) == 1:
            part[0].data = part[0].detach().clone()
        else:
            _move_together(part)


def _move_together(group: list[Tensor]) -> None:
    start, end = min(_extent(view)[0] for view in group), max(_extent(view)[1] for view in group)
    copied = torch.as_strided(_bytes_of(group[0]), (end - start,), (1,), start).clone()
    for view in group:
        offset = (_extent(view)[0] - start) // view.itemsize
        view.data = torch.as_strided(copied.view(view.dtype), view.shape, view.stride(), offset)


def _bytes_of(view: Tensor) -> Tensor:
    """All the memory behind a view."""
    return torch.empty(0, dtype=torch.uint8).set_(view.untyped_storage())  # pyright: ignore[reportCallIssue, reportArgumentType]


def _sharing(group: list[Tensor]) -> list[list[Tensor]]:
    """The parts of a group whose views share elements with one another, and with none of another part."""
    if len({view.itemsize for view in group}) > 1:
        return [group]
    parts: list[tuple[list[Tensor], Tensor]] = []
    for view in group:
        views, places = [view], _places(view)
        apart: list[tuple[list[Tensor], Tensor]] = []
        for others, taken in parts:
            if bool(torch.isin(places, taken).any()):
                views, places = [*others, *views], torch.unique(torch.cat((taken, places)))
            else:
                apart.append((others, taken))
        parts = [*apart, (views, places)]
    return [views for views, _ in parts]


def _places(view: Tensor) -> Tensor:
    """Where in memory each element of a view lies, each named once."""
    places = torch.tensor([view.storage_offset()])
    for size, stride in zip(view.shape, view.stride(), strict=True):
        places = (places.unsqueeze(1) + torch.arange(size) * stride).reshape(-1)
    return torch.unique(places)


def _extent(view: Tensor) -> tuple[int, int]:
    """First byte, and the one after the last."""
    reach = sum((int(size) - 1) * int(stride) for size, stride in zip(view.shape, view.stride(), strict=True))
    start = int(view.storage_offset()) * view.itemsize
    return start, start + (reach + 1) * view.itemsize


def _bytes(views: list[Tensor]) -> int:
    return sum(view.numel() * view.itemsize for view in views)


def _has_plain_memory(tensor: Tensor) -> bool:
    plain = tensor.layout == torch.strided and tensor.device.type == "cpu" and not tensor.is_quantized
    return plain and tensor.numel() > 0 and type(tensor) in (Tensor, nn.Parameter, nn.Buffer)


def _tensors(model: nn.Module, shared: set[int]) -> Iterator[Tensor]:
    yield from model.parameters()
    yield from model.buffers()
    for module in model.modules():
        for name, value in vars(module).items():
            if name not in ("_parameters", "_buffers", "_modules") and id(value) not in shared:
                yield from _tensors_in(value)


def _tensors_in(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _tensors_in(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _tensors_in(each)
