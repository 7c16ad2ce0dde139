"""Points of a search, each measured as it is played."""

from collections.abc import Sequence
from typing import Any

from neutone_like.artifact import Artifact
from neutone_like.optimise.budget.report import BudgetPoint
from neutone_like.optimise.comparing import quality
from neutone_like.optimise.played_cost import played_costs
from neutone_like.optimise.sounds import outputs, read_sounds
from neutone_like.render.model_plugin import ModelPlugin


def measured(
    made: Sequence[tuple[str, Artifact]], sounds: Sequence[Any], rate: int, block_sizes: Sequence[int]
) -> list[BudgetPoint]:
    """Time by turns, bytes of the file that is played, and error on sounds beside the first of them, the original.

    Args:
        made: Names and artifacts.
        sounds: Arrays ``(channels, samples)`` at the rate, none of which the original makes silence of.
        rate: Of the host, Hz.
        block_sizes: Of the host, samples.
    """
    artifacts = [artifact for _, artifact in made]
    costs = played_costs(artifacts, rate, block_sizes)
    recordings = read_sounds(list(sounds), rate, "sound")
    wanted: list[Any] = [each.samples for each in outputs(player(artifacts[0]), recordings, None, "original")]
    points: list[BudgetPoint] = []
    for (name, artifact), cost in zip(made, costs, strict=True):
        is_original = artifact is artifacts[0]
        found = None if is_original else quality(wanted, player(artifact), list(sounds), sample_rate=rate)
        points.append(
            BudgetPoint(
                name=name,
                path=artifact.path.parent,
                cost=cost,
                time_ratio=cost.time_ratio(costs[0]),
                bytes_ratio=cost.bytes_ratio(costs[0]),
                quality=found,
            )
        )
    return points


def player(artifact: Artifact) -> ModelPlugin:
    """The artifact, wet alone."""
    return ModelPlugin(artifact, wet=1.0, dry=0.0, input_gain_db=0.0, output_gain_db=0.0)
