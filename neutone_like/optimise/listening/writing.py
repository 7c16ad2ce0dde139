"""From two sides and some audio to a page that a listener opens."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import AudioError, ParameterError
from neutone_like.numbers import whole_number
from neutone_like.optimise.listening.stimuli import ANCHOR, REFERENCE, Item, make_item
from neutone_like.optimise.pairs import pairs
from neutone_like.optimise.sounds import Player, Sounds
from neutone_like.whole_file import write_whole

MOST_TRIALS = 50
MOST_CANDIDATES = 7  # with two references and the anchor ten sounds, one a key


@checked_arguments(ParameterError, but=("reference", "candidates", "audio", "sample_rate"))
def listening_page(
    path: str | PathLike[str],
    reference: Player | Sounds,
    candidates: Mapping[str, Player | Sounds] | Player | Sounds,
    audio: Sounds | None = None,
    *,
    sample_rate: int | None = None,
    title: str = "Listening test",
    trials: int = 8,
) -> Path:
    """Write a blind listening test as one HTML file, which asks for nothing from outside and works from the disk.

    The listener chooses between ABX (is X the reference or the candidate? with the odds of as many right by guessing)
    and ratings after the manner of MUSHRA (ITU-R BS.1534): each candidate, the hidden reference and a reference
    low-passed at 3.5 kHz from 0 to 100. Order and X are drawn anew in the browser each time. The results, with every
    answer, are saved as JSON. Blind is who does not read the page's source: it has the names in it.

    Sounds are 24-bit WAV. All of one item share one gain, below 0 dB where one would clip; loudness is not matched.

    Args:
        path: Of the page.
        reference, audio, sample_rate: As for :func:`~neutone_like.optimise.quality`; up to 60 seconds each.
        candidates: What :func:`~neutone_like.optimise.quality` takes as candidate, by name; at most 7. One without a
            name is called "candidate".
        title: On top of the page, and in the results.
        trials: Of ABX, 1..50, for each sound and candidate.

    Returns:
        ``path``.

    Raises:
        AudioError: As for :func:`~neutone_like.optimise.quality`, too long, or the page can't be written.
        ModelError: A model failed.
        ParameterError: No candidate or too many, a name that is taken, or ``trials`` out of its range.
    """
    count = whole_number(trials, "trials", 1, MOST_TRIALS, error=ParameterError)
    named: dict[str, Any] = dict(candidates) if isinstance(candidates, Mapping) else {"candidate": candidates}
    _require_names(named)
    if not all(map(_can_be_written, (title, *named))):
        raise ParameterError(
            f"title and names of candidates must be text that can be written, got {[title, *named]!a}."
        )
    items = list(_items(reference, named, audio, sample_rate))
    target = Path(path)
    try:
        write_whole(target, _page(title, count, items).encode())
    except OSError as error:
        raise AudioError(f"The listening page can't be written to {target}: {error}") from error
    return target


def _items(reference: Any, candidates: dict[str, Any], audio: Any, sample_rate: int | None) -> Iterator[Item]:
    compared = [list(pairs(reference, candidate, audio, sample_rate)) for candidate in candidates.values()]
    for of_one_sound in zip(*compared, strict=True):
        heard = (candidate for _, candidate in of_one_sound)
        yield make_item(of_one_sound[0][0], dict(zip(candidates, heard, strict=True)))


def _can_be_written(text: str) -> bool:
    try:
        return bool(text.encode()) or not text
    except UnicodeEncodeError:  # half of a letter, as in file names that are no text
        return False


def _require_names(candidates: dict[str, Any]) -> None:
    if not 1 <= len(candidates) <= MOST_CANDIDATES:
        raise ParameterError(f"candidates: expected 1 to {MOST_CANDIDATES}, got {len(candidates)}.")
    for name in candidates:
        if not isinstance(name, str) or not name or name in (REFERENCE, ANCHOR):
            raise ParameterError(f"candidates: expected names other than {REFERENCE!r} and {ANCHOR!r}, got {name!r}.")


def _page(title: str, trials: int, items: list[Item]) -> str:
    script = _asset("test.js")
    data = {
        "title": title,
        "trials": trials,
        "items": [{"name": each.name, "gain_db": each.gain_db, "sounds": dict(each.sounds)} for each in items],
    }
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(_asset("test.html.jinja"))
    return template.render(
        title=title,
        style=Markup(_asset("test.css")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        data=Markup(json.dumps(data).replace("<", "\\u003c")),
    )


def _asset(name: str) -> str:
    return (files("neutone_like.optimise.listening") / "assets" / name).read_text(encoding="utf-8")
