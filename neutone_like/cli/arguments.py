"""What is written on the command line, as values. Every function raises ``ValueError`` with words for the user."""

import csv
from pathlib import Path
from typing import Any

MAXIMUM_RATE = 768_000  # Hz
MAXIMUM_BLOCK = 1 << 20  # samples


def split_assignments(params: list[str], automations: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """``name=value`` texts of ``--param``, and ``name=file`` of ``--automation``, by name; a name may stand once.

    A value may be empty: some texts are.
    """
    constants: dict[str, str] = {}
    curves: dict[str, str] = {}
    for option, texts, found in (("--param", params, constants), ("--automation", automations, curves)):
        for text in texts:
            name, equals, value = text.partition("=")
            if not equals or not name or (option == "--automation" and not value):
                raise ValueError(f"{option}: expected name=value, got {text!r}.")
            if name in constants or name in curves:
                raise ValueError(f"{option}: the parameter {name!r} is given twice; give each one once.")
            found[name] = value
    return constants, curves


def typed_value(parameter: Any, text: str) -> float | str | list[int]:
    """A text as the declared parameter takes it: a number, one of the labels (or its index), a text, or tokens.

    Tokens are numbers with commas between them; any other text is left to the model's own tokenizer.
    """
    if parameter.kind == "text":
        return text
    if parameter.kind == "tokens":
        return _tokens(text)
    if parameter.kind == "categorical" and (text in parameter.labels or not text.strip().isdecimal()):
        return text
    try:
        return int(text) if parameter.kind == "categorical" else float(text)
    except ValueError as error:
        raise ValueError(
            f"Parameter {parameter.name!r}: allowed is a number in {parameter.minimum}..{parameter.maximum}"
            f"{f' {parameter.unit}' if parameter.unit else ''}, got {text!r}."
        ) from error


def _tokens(text: str) -> list[int] | str:
    try:
        return [int(part) for part in text.split(",")] if text.strip() else []
    except ValueError:
        return text


def read_points(path: Path) -> list[tuple[float, str]]:
    """The lines of a CSV file as (seconds, text); a line of headings may come first."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [(number, row) for number, row in enumerate(csv.reader(file), start=1) if any(map(str.strip, row))]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"--automation: {path} can't be read as a CSV file: {error}.") from error
    points: list[tuple[float, str]] = []
    for number, row in lines:
        if len(row) == 2:
            try:
                points.append((float(row[0]), row[1].strip()))
                continue
            except ValueError:
                if number == lines[0][0]:  # headings
                    continue
        raise ValueError(f"--automation: line {number} of {path}: expected seconds,value, got {','.join(row)!r}.")
    if not points:
        raise ValueError(f"--automation: {path} holds no line of seconds,value.")
    return points


def numbers_of(option: str, text: str, highest: int) -> tuple[int, ...]:
    """``"64,128"`` as numbers in ``1..highest``."""
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise ValueError(f"{option}: expected whole numbers with commas between them, got {text!r}.") from error
    if min(numbers) < 1 or max(numbers) > highest:
        raise ValueError(f"{option}: every number must lie in 1..{highest}, got {text!r}.")
    return numbers
