"""How a conversion says no: which layer, why, and what to use instead."""

from typing import NoReturn

from neutone_like.errors import ModelError
from neutone_like.graph import Node


def refuse_random(node: Node) -> NoReturn:
    """Raise :class:`ModelError` for an operation that gives something else whenever it runs."""
    refuse(node, "draws random numbers, so that no two runs are the same", "Give noise as another input channel")


def refuse(node: Node, reason: str, instead: str) -> NoReturn:
    """Raise :class:`ModelError` for an operation that can't be had block by block.

    Args:
        reason: Goes on from "it".
        instead: What to use, as a sentence without its full stop.
    """
    operation = node.op.removeprefix("aten::").partition(".")[0].rstrip("_")
    layer = f"{node.layer} ({operation})" if node.layer else operation
    where = f" at {node.line}" if node.line else ""
    raise ModelError(f"{layer}{where} can't stream: it {reason}. {instead}.")
