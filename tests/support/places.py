"""Where things are in the checkout."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
TESTS = PROJECT / "tests"
EXAMPLES = PROJECT / "examples"
EXPORTED = PROJECT / "exported"
