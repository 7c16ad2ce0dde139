"""Writes docs/reference/command-line.md from the program itself. Run after changing a verb or an option."""

import inspect
import re
from pathlib import Path
from typing import Any

from typer.main import get_command

from neutone_like.cli.commands import panels_of
from neutone_like.cli.program import app

PAGE = Path(__file__).parent / "reference" / "command-line.md"
HEAD = """# Command line

`neutone-like VERB --help` shows what stands here. `--json` gives data for other programs; `--debug`, anywhere, shows
the traceback of an error; `neutone-like --install-completion` teaches your shell the verbs and options.

| exit code | meaning |
|---:|---|
| 0 | good |
| 1 | the artifact or model fell short |
| 2 | wrong use, or a file that can't be judged |
| 130 | Ctrl-C |
"""


def page() -> str:
    """The whole page."""
    verbs: dict[str, Any] = get_command(app).commands  # pyright: ignore[reportAttributeAccessIssue]
    return HEAD + "".join(_section(name, verb) for name, verb in verbs.items())


def _section(name: str, verb: Any) -> str:
    text, _, example = inspect.cleandoc(verb.help).partition("\b\n")
    lines = [f"\n## {name}\n", text.strip(), "", "```bash"]
    lines += [line.partition("Example: ")[2] for line in example.splitlines()]
    lines += ["```"]
    for panel, params in panels_of(verb).items():
        rows = [f"| {_name(param)} | {_cell(param.help)} |" for param in params if not getattr(param, "hidden", False)]
        lines += ["", f"| {panel} | |", "|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _name(param: Any) -> str:
    if param.param_type_name == "argument":
        return f"`{param.metavar}`"
    names = " / ".join((*param.opts, *param.secondary_opts))
    return f"`{names} {_cell(param.metavar)}`" if param.metavar else f"`{names}`"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE}")
