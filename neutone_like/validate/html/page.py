"""From measurements to HTML. Texts that come from an artifact are escaped by the template engine."""

import base64
import hashlib
import time
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from neutone_like.model import CategoricalParameter, Parameter, TextParameter, TokensParameter
from neutone_like.model.format_room import hosts_in_words
from neutone_like.runtime import TimeDistribution
from neutone_like.validate.html.contents import Contents
from neutone_like.validate.html.figures.drawing import LEFT, RIGHT

TEMPLATE = "report.html.jinja"
LINK_BEGINNINGS = ("https://", "http://")


def render_page(contents: Contents, web_link_opening: str) -> str:
    """The whole page as text."""
    environment = Environment(
        loader=FunctionLoader(_asset),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        khz=_khz, hz=_hz, default_text=_default_text, range_text=_range_text, day=_day, times=_times
    )
    script = _asset("player.js")
    counts = {
        status: sum(check.status == status for check in contents.validation.checks)
        for status in ("passed", "failed", "skipped")
    }
    return environment.get_template(TEMPLATE).render(
        c=contents,
        m=contents.artifact.metadata,
        counts=counts,
        hosts=hosts_in_words(beyond) if (beyond := contents.artifact.metadata.beyond_format()) else "",
        links=_links(contents.artifact.metadata.technical_links),
        plot_left=LEFT,
        plot_right=RIGHT,
        size=contents.artifact.path.stat().st_size,
        web_link_opening=Markup(web_link_opening),
        style=Markup(_asset("style.css")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _asset(name: str) -> str:
    return (files("neutone_like.validate.html") / "assets" / name).read_text(encoding="utf-8")


def _links(links: dict[str, str]) -> list[tuple[str, str, bool]]:
    """Name, address, and whether it is one to follow: ``javascript:`` and the like are shown as text."""
    return [(name, address, address.lower().startswith(LINK_BEGINNINGS)) for name, address in links.items()]


def _khz(hertz: float) -> str:
    return f"{hertz / 1000.0:g}\N{NO-BREAK SPACE}kHz"


def _hz(hertz: float) -> str:
    return f"{hertz / 1000.0:.1f} kHz" if hertz >= 1000.0 else f"{hertz:.0f} Hz"


def _times(times: TimeDistribution) -> str:
    shown = (times.p50_us, times.p99_us, times.p999_us, times.max_us)
    return ", ".join(f"{microseconds:.0f}" for microseconds in shown)


def _day(seconds: float) -> str:
    try:
        return time.strftime("%Y-%m-%d", time.gmtime(seconds))
    except (OverflowError, ValueError, OSError):
        return "an unknown day"


def _default_text(parameter: Parameter) -> str:
    if isinstance(parameter, TextParameter):
        return f"\N{LEFT DOUBLE QUOTATION MARK}{parameter.default}\N{RIGHT DOUBLE QUOTATION MARK}"
    if isinstance(parameter, TokensParameter):
        return ", ".join(map(str, parameter.default)) or "none"
    if isinstance(parameter, CategoricalParameter):
        return parameter.labels[int(parameter.default)]
    return f"{parameter.default:g} {parameter.unit}".rstrip()


def _range_text(parameter: Parameter) -> str:
    if isinstance(parameter, TextParameter):
        return "any text" if parameter.max_characters < 0 else f"up to {parameter.max_characters} characters"
    if isinstance(parameter, TokensParameter):
        return "any number of tokens" if parameter.max_tokens < 0 else f"up to {parameter.max_tokens} tokens"
    if isinstance(parameter, CategoricalParameter):
        return ", ".join(parameter.labels)
    return f"{parameter.minimum:g} to {parameter.maximum:g} {parameter.unit}".rstrip()
