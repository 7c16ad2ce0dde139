"""Names of what a graph holds: the network's own ones, where two things don't share one."""

from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from neutone_like.graph.graph import SAMPLES
from neutone_like.graph.slots import Slot


def node_name(index: int) -> str:
    """Of an operation while it is traced, which no argument and no weight can have."""
    return f"%{index}"


def state_name(index: int) -> str:
    """Of a state while it is traced."""
    return f"%state {index}"


def counter_name(slot: Slot) -> str:
    """Of a counter; the block's length is a variable beside it."""
    return _apart(str(slot), {SAMPLES})


def graph_names(
    network: nn.Module, arguments: Iterable[str], states: Iterable[Slot], constants: Mapping[str, Tensor], nodes: int
) -> dict[str, str]:
    """What each name of a trace becomes: weights and states as the network calls them, operations ``v0``, ``v1``...

    Python tells ``x`` and ``self.x`` apart; so do these.
    """
    given = set(arguments)
    own = {id(tensor): name for name, tensor in (*network.named_buffers(), *network.named_parameters())}
    names = {state_name(index): _apart(str(slot), given) for index, slot in enumerate(states)}
    for index, (name, tensor) in enumerate(constants.items()):
        names[name] = _apart(own.get(id(tensor), f"constant_{index}"), given)
    taken, letter = given | set(names.values()), "v"
    while any(f"{letter}{index}" in taken for index in range(nodes)):
        letter += "_"
    names.update({node_name(index): f"{letter}{index}" for index in range(nodes)})
    return names


def _apart(name: str, given: set[str]) -> str:
    return f"self.{name}" if name in given else name
