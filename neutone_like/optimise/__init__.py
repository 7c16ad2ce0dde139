"""Smaller and faster models, and what they cost in quality, in numbers and by ear."""

from typing import TYPE_CHECKING

from neutone_like.lazy import export_lazily

if TYPE_CHECKING:
    from neutone_like.optimise.budget.report import BudgetPoint as BudgetPoint
    from neutone_like.optimise.budget.report import BudgetReport as BudgetReport
    from neutone_like.optimise.budget.searching import search_budget as search_budget
    from neutone_like.optimise.comparing import quality as quality
    from neutone_like.optimise.distilling.distillation import distil as distil
    from neutone_like.optimise.distilling.losses import Losses as Losses
    from neutone_like.optimise.distilling.proposing import StudentCandidate as StudentCandidate
    from neutone_like.optimise.distilling.proposing import StudentProposals as StudentProposals
    from neutone_like.optimise.distilling.proposing import propose_students as propose_students
    from neutone_like.optimise.distilling.result import CurvePoint as CurvePoint
    from neutone_like.optimise.distilling.result import DistilResult as DistilResult
    from neutone_like.optimise.distilling.students import StudentModel as StudentModel
    from neutone_like.optimise.distilling.students import StudentShape as StudentShape
    from neutone_like.optimise.listening.writing import listening_page as listening_page
    from neutone_like.optimise.measures.frechet import frechet_distance as frechet_distance
    from neutone_like.optimise.played_cost import PlayedCost as PlayedCost
    from neutone_like.optimise.pruning.fine_tuning import FineTuning as FineTuning
    from neutone_like.optimise.pruning.plan import KeptWhole as KeptWhole
    from neutone_like.optimise.pruning.pruning import prune as prune
    from neutone_like.optimise.pruning.result import PrunedLayers as PrunedLayers
    from neutone_like.optimise.pruning.result import PruneResult as PruneResult
    from neutone_like.optimise.quality_report import ItemQuality as ItemQuality
    from neutone_like.optimise.quality_report import QualityReport as QualityReport
    from neutone_like.optimise.quality_report import QualityVerdict as QualityVerdict
    from neutone_like.optimise.quantising.quantise import quantise as quantise
    from neutone_like.optimise.quantising.result import QuantisedActivations as QuantisedActivations
    from neutone_like.optimise.quantising.result import QuantisedWeight as QuantisedWeight
    from neutone_like.optimise.quantising.result import QuantiseResult as QuantiseResult

export_lazily(
    globals(),
    {
        "neutone_like.optimise.budget.report": ("BudgetPoint", "BudgetReport"),
        "neutone_like.optimise.budget.searching": ("search_budget",),
        "neutone_like.optimise.comparing": ("quality",),
        "neutone_like.optimise.distilling.distillation": ("distil",),
        "neutone_like.optimise.distilling.losses": ("Losses",),
        "neutone_like.optimise.distilling.proposing": ("StudentCandidate", "StudentProposals", "propose_students"),
        "neutone_like.optimise.distilling.result": ("CurvePoint", "DistilResult"),
        "neutone_like.optimise.distilling.students": ("StudentModel", "StudentShape"),
        "neutone_like.optimise.listening.writing": ("listening_page",),
        "neutone_like.optimise.measures.frechet": ("frechet_distance",),
        "neutone_like.optimise.pruning.fine_tuning": ("FineTuning",),
        "neutone_like.optimise.pruning.plan": ("KeptWhole",),
        "neutone_like.optimise.pruning.pruning": ("prune",),
        "neutone_like.optimise.pruning.result": ("PrunedLayers", "PruneResult"),
        "neutone_like.optimise.played_cost": ("PlayedCost",),
        "neutone_like.optimise.quality_report": ("ItemQuality", "QualityReport", "QualityVerdict"),
        "neutone_like.optimise.quantising.quantise": ("quantise",),
        "neutone_like.optimise.quantising.result": ("QuantisedActivations", "QuantisedWeight", "QuantiseResult"),
    },
)
