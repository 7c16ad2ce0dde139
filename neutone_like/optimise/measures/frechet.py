"""Distance between two sets of sounds, by the mean and covariance of what an embedding says of them."""

from typing import Any

import numpy as np
import torch

from neutone_like.errors import ParameterError
from neutone_like.optimise.measures import Signal


def frechet_distance(reference: Any, candidate: Any) -> float:
    """Frechet distance of two Gaussians with the means and covariances of two sets of embeddings; never below 0.

    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`` (Dowson and Landau, 1982), in the square of the embedding's unit.
    Few embeddings give too much: two sets from the same distribution come out well above 0 until there are many times
    as many as dimensions. Compare only values from equally many.

    Args:
        reference, candidate: ``(embeddings, dimensions)``, arrays or tensors, of equal dimensions.

    Raises:
        ParameterError: Another shape, not finite, or fewer embeddings than twice the dimensions.
    """
    a, b = as_embeddings(reference), as_embeddings(candidate)
    if a.shape[1] != b.shape[1]:
        raise ParameterError(f"Both sets need as many dimensions, got {a.shape[1]} and {b.shape[1]}.")
    if min(len(a), len(b)) < fewest(a.shape[1]):
        raise ParameterError(
            f"{a.shape[1]} dimensions need at least {fewest(a.shape[1])} embeddings in each set, got {len(a)} and "
            f"{len(b)}. Give more or longer audio, or an embedding of fewer dimensions."
        )
    difference = float(np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2))
    first, second = (np.atleast_2d(np.cov(each, rowvar=False)) for each in (a, b))
    root = _square_root(first)
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root @ second @ root), 0.0, None)).sum()
    return max(0.0, difference + float(np.trace(first) + np.trace(second) - 2.0 * cross))


def fewest(dimensions: int) -> int:
    """How many embeddings say something about a covariance."""
    return 2 * dimensions


def as_embeddings(value: Any) -> Signal:
    """What an embedding gave, as float64 ``(embeddings, dimensions)``.

    Raises:
        ParameterError: It is something else, or not finite.
    """
    if isinstance(value, torch.Tensor) and value.is_meta:
        raise ParameterError("Expected embeddings, got a tensor on the device 'meta', which holds none.")
    array = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
    if array.ndim != 2 or array.dtype.kind not in "fiu" or 0 in array.shape:
        raise ParameterError(f"Expected embeddings of shape (N, D), got {array.dtype} of shape {array.shape}.")
    if not np.isfinite(array).all():
        raise ParameterError("Embeddings must be finite numbers, got NaN or infinity among them.")
    return array.astype(np.float64)


def _square_root(matrix: Signal) -> Signal:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
