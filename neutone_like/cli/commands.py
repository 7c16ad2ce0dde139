"""What every verb is to Typer: its options stand in panels, and whatever ends it lets it clean up what is half done."""

from typing import Any

import typer
from typer.core import TyperCommand

from neutone_like.cli.common import AskedToEnd, ending_in_order, interrupt_behind

INTERRUPTED = 130  # as shells have it


class Verb(TyperCommand):
    """A verb. Its panels are plain text: drawing frames would cost more time than all the rest of ``--help``."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The arguments, then the options panel by panel, in the order in which they are declared."""
        for panel, params in panels_of(self).items():
            records = [record for param in params if (record := param.get_help_record(ctx)) is not None]
            if records:
                with formatter.section(panel):
                    formatter.write_dl(records)

    def invoke(self, ctx: Any) -> Any:
        """Run it."""
        try:
            with ending_in_order():
                return super().invoke(ctx)
        except typer.Exit:
            raise  # as the verb has it
        except BaseException as error:
            interrupt = interrupt_behind(error)
            if interrupt is None:
                raise
            if isinstance(interrupt, AskedToEnd):
                raise AskedToEnd(interrupt.code) from error
            typer.echo(f"Interrupted: {ctx.command.name} did not finish.", err=True)
            raise typer.Exit(INTERRUPTED) from error


def panels_of(verb: Any) -> dict[str, list[Any]]:
    """What a verb takes, by panel. ``--help`` comes last."""
    panels: dict[str, list[Any]] = {}
    for param in verb.params:
        is_argument = param.param_type_name == "argument"
        panel = "Arguments" if is_argument else getattr(param, "rich_help_panel", None) or "Options"
        panels.setdefault(panel, []).append(param)
    help_option = verb.get_help_option(typer.Context(verb))
    return panels if help_option is None else {**panels, "Options": [*panels.pop("Options", []), help_option]}
