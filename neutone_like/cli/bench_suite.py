"""The verb ``bench-suite``."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from neutone_like.cli.common import writing_to, wrong_use


class Action(str, Enum):
    """What to do."""

    run = "run"
    report = "report"


def bench_suite(
    action: Annotated[Action, typer.Argument(metavar="run|report", help="Measure, or show what was measured.")],
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS", dir_okay=False, help="The file of results, a line of JSON each.")
    ],
    minutes: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            min=0.01,
            help="Of run: begin nothing after this time; 60 and more take ten times as long a cell [default: 20].",
        ),
    ] = None,
    examples: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Of run: artifacts to play, a folder each [default: exported]."),
    ] = None,
    converter: Annotated[
        Path | None,
        typer.Option(metavar="PYTHON", help="Of run: a Python with litert-torch, where this one has none."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="PAGE", help="Of report: the page [default: RESULTS with .html].")
    ] = None,
    docs: Annotated[
        Path | None, typer.Option(metavar="PAGE", help="Of report: the same as Markdown, without pictures.")
    ] = None,
) -> None:
    """Compare engines, at real deadlines too.

    run measures three kinds of networks in three sizes, as the anira paper does, in every engine that is installed, and
    writes each result at once: a run that was stopped goes on when it is started again with the same file. report fits
    the paper's mixed-effects model, holds its claims against what was found, and writes one HTML page.

    \b
    Example: neutone-like bench-suite run suite.jsonl --minutes 20
    Example: neutone-like bench-suite report suite.jsonl --out suite.html
    """
    if action is Action.run:
        if out is not None or docs is not None:
            raise wrong_use("--out and --docs are for report.")
        return _run(results, minutes, examples, converter)
    for name, value in (("--minutes", minutes), ("--examples", examples), ("--converter", converter)):
        if value is not None:
            raise wrong_use(f"{name} is for run.")
    from neutone_like.bench.suite.page import docs_page, write_report
    from neutone_like.whole_file import write_whole

    page = out or results.with_suffix(".html")
    pages = [each.resolve() for each in (page, docs) if each is not None]
    if results.resolve() in pages or len(set(pages)) < len(pages):
        raise wrong_use("a page would replace the results, or the other page: give another name with --out or --docs.")
    with writing_to(page):
        write_report(results, page)
    typer.echo(f"Wrote {page}")
    if docs is not None:
        with writing_to(docs):
            write_whole(docs, docs_page(results).encode())
        typer.echo(f"Wrote {docs}")


def _run(results: Path, minutes: float | None, examples: Path | None, converter: Path | None) -> None:
    from neutone_like.bench.suite.running import MINUTES, run_suite

    done = run_suite(
        results,
        minutes=minutes or MINUTES,
        examples=examples,
        converter=converter,
        progress=lambda text: typer.echo(text, err=True),
    )
    more = f"; {done.left} are left: run it again to go on" if done.left else ""
    typer.echo(f"{done.measured} cells measured, {done.skipped} of them skipped with a reason{more}. Wrote {results}")
