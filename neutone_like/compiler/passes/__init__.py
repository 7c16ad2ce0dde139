"""Passes over a plan: each makes it shorter and leaves what it computes as it is."""

from neutone_like.compiler.passes.fuse_elementwise import fuse_elementwise
from neutone_like.compiler.passes.fuse_products import fuse_products
from neutone_like.compiler.passes.place import drop_unread, keep_states_in_place, place
from neutone_like.compiler.plan import Plan

__all__ = ["drop_unread", "fuse_elementwise", "fuse_products", "improve", "keep_states_in_place", "place"]


def improve(plan: Plan) -> None:
    """All passes, in the order in which they help each other."""
    drop_unread(plan)
    fuse_elementwise(plan)
    fuse_products(plan)
    keep_states_in_place(plan)
    place(plan)
    drop_unread(plan)
