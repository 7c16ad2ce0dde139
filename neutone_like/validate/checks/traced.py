"""A traced network still does what the untraced one does, block after block.

``torch.jit.trace`` records the tensor operations of one call. What the network keeps in attributes (a hidden state, a
cache, a counter) becomes a constant, and lengths become numbers. The trace of such a network equals itself, so that no
comparison with the scripted one shows it. Three ways lead to what was traced, the surest first:

- the untraced network itself, if anybody still holds it: both play the same sound over several blocks;
- the source of its class: attributes that ``forward`` remembers things in;
- the graph: recurrent layers whose state is a constant. This is all that an artifact tells without its Python model.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from neutone_like.artifact.format.format_limits import Model
from neutone_like.artifact.writing.working_copy import working_copy
from neutone_like.validate.live_subject import LiveSubject
from neutone_like.validate.outcome import Outcome, Outputs, apart, equal, verdict, where_apart
from neutone_like.validate.playing import play_model
from neutone_like.validate.subject import Subject, Values
from neutone_like.validate.traces.forward_state import remembered_attributes
from neutone_like.validate.traces.graph_state import frozen_recurrent_layers, whole_graph, written_buffers
from neutone_like.validate.traces.originals import classes_of, is_traced, original_of, traced_networks

ALLOWED = "what the untraced network gives, over several blocks; no state that became a constant"
ADVICE = (
    "A trace keeps Python attributes as they were during the example, and lengths as numbers. Keep state in buffers "
    "that forward writes into (register_buffer, then self.h.copy_(h)), or hand it in and out of the traced network and "
    "keep it in the model; script what depends on lengths. If a constant start is meant, make it an nn.Parameter."
)
TRACE_DIFFERENCE = 1e-4
OTHER_LENGTHS = (100, 1024)


def check_traced_networks(subject: Subject) -> Outcome:
    """Look at every traced network inside the model, or at the graph where there is no model."""
    if subject.eager_model is None:
        return _check_graph(subject)
    networks = traced_networks(subject.eager_model)
    problems: list[str] = []
    lines: list[str] = []
    for name, traced in networks.items():
        original = original_of(traced)
        untraced = None if original is None else _difference(subject, name, original)
        lines.append(f"{name}: {'no untraced network to compare with' if untraced is None else untraced or 'equal'}")
        if untraced is None or untraced:
            problems += [f"{name}, {reason}" for reason in _reasons(name, traced)] or ([untraced] if untraced else [])
            if untraced and problems[-1] != untraced:
                problems[-1] += f"; {untraced}"
        if length := _length_problem(subject, name, traced):
            problems.append(length)
    # A trace that was saved and loaded again is known by its graph alone.
    problems = problems or _graph_problems(subject)
    measured = "; ".join(problems) or (
        f"{', '.join(networks)}: nothing was lost by tracing" if networks else "nothing inside was traced"
    )
    return verdict(not problems, measured, ALLOWED, ADVICE, tuple(lines))


def _reasons(name: str, traced: Any) -> Iterator[str]:
    """What was state in the network, and is a constant in its trace."""
    is_explained = False
    graph = whole_graph(traced)
    written = written_buffers(graph)
    for inner, module in traced.named_modules():
        classes = classes_of(module) if is_traced(module) else []
        remembered = [set(remembered_attributes(each)) for each in classes]
        buffers = {buffer for buffer, _ in module.named_buffers(recurse=False)}
        in_place = {path.rpartition(".")[2] for path in written} & buffers
        attributes = sorted(set.intersection(*remembered) - in_place) if remembered else []
        if attributes:
            is_explained = True
            where = f" in {inner}" if inner else ""
            shown = ", ".join(f"self.{each}" for each in attributes)
            yield f"traced: forward of {classes[0].__name__}{where} keeps {shown}, which the trace froze"
    if not is_explained:
        unwritten = frozenset(buffer for buffer, _ in traced.named_buffers()) - written
        for layer in frozen_recurrent_layers(graph, unwritten):
            yield f"traced: the recurrent layer {layer} begins every call with the same state"


def _difference(subject: Subject, name: str, original: nn.Module) -> str | None:
    """How the model sounds otherwise with the untraced network; empty if it doesn't, None if that can't be told."""
    assert subject.eager_model is not None
    setting, values = subject.native, subject.defaults
    sounds = subject.sounds(subject.samples(setting))
    try:
        expected = _play_with(subject, name, original, sounds, values)
        if not equal(expected, _play_with(subject, name, original, sounds, values)):
            return None  # random numbers, or a state that the two copies share
    except Exception:  # a model may know its network by more than its name; then other ways must tell
        return None
    torch.manual_seed(0)
    actual = subject.play(subject.eager(setting), sounds, values, setting)
    limit = TRACE_DIFFERENCE * max(1.0, *(float(each.abs().max()) for each in expected))
    limit = max(limit, subject.difference_allowed(setting, sounds, values, actual, apart(actual, expected)))
    if apart(actual, expected) <= limit:
        return ""
    return f"{name}, traced, {where_apart(actual, expected, limit)} from the untraced network"


def _play_with(subject: Subject, name: str, original: nn.Module, sounds: list[torch.Tensor], values: Values) -> Outputs:
    """Play the model with the untraced network in the place of the traced one."""
    assert subject.eager_model is not None
    model: Model = working_copy(subject.eager_model)
    parent, _, last = name.rpartition(".")
    setattr(model.get_submodule(parent), last, working_copy(original))
    torch.manual_seed(0)
    return subject.play(subject.eager(subject.native, model), sounds, values, subject.native)


def _length_problem(subject: Subject, name: str, traced: Any) -> str:
    """Of a live model that takes several block lengths: whether the trace knows but that of its example."""
    sizes = subject.artifact.block_sizes
    if not isinstance(subject, LiveSubject) or len(sizes) == 1:
        return ""
    length = _example_samples(traced) - subject.look_behind_samples
    if length <= 0 or (sizes and length not in sizes):
        return ""
    x = subject.sound(4096)[: subject.artifact.in_channels]
    expected = _play_blocks(subject, x, length)
    for other in [size for size in sizes or OTHER_LENGTHS if size != length]:
        try:
            found = _play_blocks(subject, x, other)
        except Exception as error:  # whatever an operation with the wrong length raises is the finding
            reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
            return f"{name}, traced with {length} samples, fails on blocks of {other}: {reason[0]:.200}"
        if apart([found], [expected]) > 1e-3 * max(1.0, float(expected.abs().max())):
            return f"{name}, traced with {length} samples, sounds otherwise in blocks of {other}"
    return ""


def _play_blocks(subject: LiveSubject, x: torch.Tensor, block: int) -> torch.Tensor:
    return play_model(
        subject.model_of(subject.reused(subject.native)),
        x,
        sample_rate=subject.native_rate,
        block_size=block,
        look_behind_samples=subject.look_behind_samples,
        parameters=subject.artifact.numerical_parameters,
    )


def _example_samples(traced: Any) -> int:
    """How long the sound was that the network was traced with; 0 where the graph does not tell."""
    for value in list(traced.graph.inputs())[1:]:
        if value.type().kind() == "TensorType" and (sizes := value.type().sizes()):
            return int(sizes[-1])
    return 0


def _check_graph(subject: Subject) -> Outcome:
    """Without the Python model."""
    problems = _graph_problems(subject)
    return verdict(not problems, "; ".join(problems) or "no recurrent layer begins with a constant", ALLOWED, ADVICE)


def _graph_problems(subject: Subject) -> list[str]:
    """What the model in the file shows."""
    model = subject.model_of(subject.reused(subject.native))
    layers = frozen_recurrent_layers(whole_graph(model.do_forward_pass))
    return [f"traced: the recurrent layer {layer} begins every call with the same state" for layer in layers]
