"""The benchmark suite: what the anira paper measured, and what it left out (``neutone-like bench-suite``)."""

from neutone_like.bench.suite.cells import Cell, Scope, cells_of
from neutone_like.bench.suite.results import SuiteResults, read_results
from neutone_like.bench.suite.running import run_suite

__all__ = ["Cell", "Scope", "SuiteResults", "cells_of", "read_results", "run_suite"]
