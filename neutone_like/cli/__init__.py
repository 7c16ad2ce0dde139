"""The command line: parses, calls, prints. ``main`` is the program."""

from neutone_like.cli.program import app as app
from neutone_like.cli.program import main as main
