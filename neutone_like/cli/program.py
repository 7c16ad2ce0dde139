"""The command line: parses, calls, prints. What takes long to import is imported by the verb that needs it."""

import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from neutone_like.cli.bench import bench
from neutone_like.cli.bench_suite import bench_suite
from neutone_like.cli.check_callback import check_callback
from neutone_like.cli.commands import INTERRUPTED, Verb
from neutone_like.cli.common import FELL_SHORT, printable
from neutone_like.cli.compile import compile as compile_verb
from neutone_like.cli.export import export
from neutone_like.cli.inspect import inspect
from neutone_like.cli.optimise import optimise
from neutone_like.cli.play import play
from neutone_like.cli.plugin import plugin
from neutone_like.cli.render import render
from neutone_like.cli.validate import validate
from neutone_like.cli.web import web
from neutone_like.errors import NeutoneLikeError

app = typer.Typer(
    name="neutone-like",
    help="From a PyTorch audio model to an artifact that any host plays.",
    epilog="Exit codes: 0 good, 1 the artifact or model fell short, 2 wrong use, 130 Ctrl-C.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
VERBS = (
    export,
    inspect,
    validate,
    check_callback,
    compile_verb,
    play,
    plugin,
    web,
    render,
    bench,
    bench_suite,
    optimise,
)
for verb in VERBS:
    app.command(cls=Verb)(verb)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    if debug:  # allowed anywhere
        given = ["--debug", *(each for each in given if each != "--debug")]
    try:
        app(args=given, prog_name="neutone-like")
    except KeyboardInterrupt:
        typer.echo("Interrupted.", err=True)
        sys.exit(INTERRUPTED)
    except NeutoneLikeError as error:
        if debug:
            raise
        typer.echo(printable(f"Error: {error}"), err=True)
    except Exception as error:
        if debug:
            raise
        message = f"Unexpected error: {type(error).__name__}: {error}\nAdd --debug for the details."
        typer.echo(printable(message), err=True)
    sys.exit(FELL_SHORT)


def _print_version(wanted: bool) -> None:
    if wanted:
        from neutone_like.version import __version__

        typer.echo(f"neutone-like {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")] = False,
) -> None:
    """What stands before the verb."""
