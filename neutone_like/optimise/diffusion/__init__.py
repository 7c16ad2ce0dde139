"""Generators in few steps: noise schedules, samplers, and what trains a network to need fewer of them."""

from typing import TYPE_CHECKING

from neutone_like.lazy import export_lazily

if TYPE_CHECKING:
    from neutone_like.optimise.diffusion.distilling import distil_progressively as distil_progressively
    from neutone_like.optimise.diffusion.distilling import distil_whole_way as distil_whole_way
    from neutone_like.optimise.diffusion.distilling import train_consistency as train_consistency
    from neutone_like.optimise.diffusion.distilling import train_diffusion as train_diffusion
    from neutone_like.optimise.diffusion.process import Diffusion as Diffusion
    from neutone_like.optimise.diffusion.sampler import Sampler as Sampler
    from neutone_like.optimise.diffusion.sampler import sample as sample
    from neutone_like.optimise.diffusion.samplers import consistency as consistency
    from neutone_like.optimise.diffusion.samplers import ddim as ddim
    from neutone_like.optimise.diffusion.samplers import ddpm as ddpm
    from neutone_like.optimise.diffusion.samplers import dpm_solver as dpm_solver
    from neutone_like.optimise.diffusion.schedule import CosineSchedule as CosineSchedule
    from neutone_like.optimise.diffusion.schedule import LinearBetaSchedule as LinearBetaSchedule
    from neutone_like.optimise.diffusion.schedule import NoiseSchedule as NoiseSchedule
    from neutone_like.optimise.diffusion.schedule import StraightSchedule as StraightSchedule

export_lazily(
    globals(),
    {
        "neutone_like.optimise.diffusion.distilling": (
            "distil_progressively",
            "distil_whole_way",
            "train_consistency",
            "train_diffusion",
        ),
        "neutone_like.optimise.diffusion.process": ("Diffusion",),
        "neutone_like.optimise.diffusion.sampler": ("Sampler", "sample"),
        "neutone_like.optimise.diffusion.samplers": ("consistency", "ddim", "ddpm", "dpm_solver"),
        "neutone_like.optimise.diffusion.schedule": (
            "CosineSchedule",
            "LinearBetaSchedule",
            "NoiseSchedule",
            "StraightSchedule",
        ),
    },
)
