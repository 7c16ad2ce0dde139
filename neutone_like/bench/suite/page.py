"""The report: one page of HTML that needs nothing beside it, and the same in Markdown for the documentation."""

from html import escape
from pathlib import Path

from neutone_like.bench.suite.analysis import analyse
from neutone_like.bench.suite.plots import pictures
from neutone_like.bench.suite.words import Written, as_markdown, caution, conditions, model_words, tables
from neutone_like.whole_file import write_whole

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; margin: 1rem 0; font-size: 13px; display: block; overflow-x: auto }
td, th { border: 1px solid #ccc; padding: .25rem .5rem; text-align: left; vertical-align: top }
th { background: #f3f3f3 } figure { margin: 1rem 0 } svg { max-width: 100%; height: auto }
"""
_DOCS_HEAD = """# Engines side by side: the anira paper's questions

The anira paper (Ackva and Schulz, [arXiv 2506.12665](https://arxiv.org/abs/2506.12665)) compared inference engines for
real-time audio. `neutone-like bench-suite` asks the same again, adds this package's compiled models, and plays at real
deadlines too. This page is written by `neutone-like bench-suite report` from the results in
`docs/measurements/suite.jsonl`; run it on your machine, whose answers may be others.
"""


def write_report(results: Path, page: Path) -> None:
    """Write the page.

    Raises:
        BenchError: As :func:`neutone_like.bench.suite.analysis.analyse`.
        MissingExtraError: Likewise.
        OSError: It can't be written.
    """
    found = analyse(results)
    warning = caution(found)
    parts = [f"<p><strong>{escape(warning)}</strong></p>"] if warning else []
    parts += [f"<p>{escape(conditions(found))}</p>", f"<p>{escape(model_words(found))}</p>"]
    written = tables(found)
    parts.append(_html(written[0]))
    for title, words, picture in pictures(found):
        parts.append(f"<h2>{escape(title)}</h2><p>{escape(words)}</p><figure>{picture}</figure>")
    parts += [_html(table) for table in written[1:]]
    body = "\n".join(parts)
    text = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Benchmark suite</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>Benchmark suite</h1>\n{body}\n</body></html>\n"
    )
    write_whole(page, text.encode())


def docs_page(results: Path) -> str:
    """The documentation's page.

    Raises:
        BenchError, MissingExtraError: As :func:`write_report`.
    """
    found = analyse(results)
    warning = caution(found)
    lines = [_DOCS_HEAD, *([f"**{warning}**", ""] if warning else []), conditions(found), ""]
    if found.mixed is None:
        lines += [model_words(found), ""]
    return "\n".join([*lines, *(line for table in tables(found) for line in as_markdown(table))]).rstrip() + "\n"


def _html(table: Written) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.head)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    words = f"<p>{escape(table.words)}</p>" if table.words else ""
    return f"<h2>{escape(table.title)}</h2>{words}<table><tr>{head}</tr>{rows}</table>"
