"""The report's link to the page that plays the model, which is written later, or never."""

from pathlib import Path

from neutone_like.artifact.format.archive import COMPILED_NAME
from neutone_like.whole_file import write_whole

WEB_FOLDER = "web"
_HIDDEN = '<p class="note" id="web-page" hidden>'
_SHOWN = _HIDDEN.replace(" hidden", "")


def web_link_opening(folder: Path) -> str:
    """How the paragraph with the link begins in a report of this folder: hidden where there is no page of its model."""
    return _SHOWN if _has_page(folder) else _HIDDEN


def update_web_link(report: Path) -> None:
    """Show or hide the link of a report that is there, after the page was written.

    Raises:
        OSError: It can't be read or written.
    """
    if report.is_file():
        text = report.read_text("utf-8")
        opening = web_link_opening(report.parent)
        updated = text.replace(_HIDDEN, opening).replace(_SHOWN, opening)
        if updated != text:
            write_whole(report, updated.encode())


def _has_page(folder: Path) -> bool:
    """Of this model: another one may have been exported since the page was written."""
    page, ours = folder / WEB_FOLDER, folder / COMPILED_NAME
    if not ((page / "index.html").is_file() and (page / COMPILED_NAME).is_file()):
        return False
    return not ours.is_file() or (page / COMPILED_NAME).read_bytes() == ours.read_bytes()
