"""Models and pages for the tests of the report."""

from html.parser import HTMLParser

import torch
from torch import Tensor, nn

from neutone_like import CategoricalParameter, ContinuousParameter, ModelMetadata, WaveformToWaveformBase
from neutone_like.cli.user_file import load_object
from support.places import EXAMPLES

ATTACK = "</title></svg>--><script>boom()</script>"
ATTACK_NAME = ATTACK + " $\\frac{"
RATE_BOUND = 16000


class Hostile(WaveformToWaveformBase):
    """Every text that a model can choose tries to become part of the page; the numbers are those of a delay."""

    metadata = ModelMetadata(
        name=ATTACK[:30],
        authors=('"><img src=x onerror=boom()>', "'B"),
        version="1<b>",
        short_description=ATTACK + "{{ 7 * 7 }}{% raw %}",
        long_description=ATTACK * 3,
        technical_description="&lt;script&gt; #010203",
        technical_links={"a<b": "javascript:boom()", "c": 'https://example.org/"onmouseover="boom()'},
        tags=("<i>x</i>", "<script>"),
        citation=ATTACK,
    )
    parameters = (
        ContinuousParameter(ATTACK_NAME, ATTACK, default=5.0, minimum=-20.0, maximum=20.0, unit="<b>$dB"),
        CategoricalParameter("mode", ATTACK, labels=("<u>", "-->", "</svg>", '"'), default=1),
    )
    in_channels = 1
    out_channels = 1
    sample_rates = (RATE_BOUND,)
    block_sizes = (160,)

    def __init__(self) -> None:
        super().__init__(nn.Identity())
        self.past = torch.zeros(1, 100)

    @torch.jit.export
    def reset_model(self) -> None:
        self.past = torch.zeros(1, 100)

    @torch.jit.export
    def model_delay_samples(self) -> int:
        return 100

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        joined = torch.cat((self.past, x), 1)
        self.past = joined[:, -100:].clone()
        return joined[:, : x.size(1)]


class AnyRate(WaveformToWaveformBase):
    """Half as loud, at any rate."""

    metadata = ModelMetadata(name="Any rate", authors=("Ada",), version="1.0.0", short_description="For tests")

    def __init__(self) -> None:
        super().__init__(nn.Identity())

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return 0.5 * x


class TooLoud(AnyRate):
    """Four times as loud: above full scale."""

    metadata = ModelMetadata(name="Too loud", authors=("Ada",), version="1.0.0", short_description="For tests")

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return 4.0 * x


def build_overdrive() -> WaveformToWaveformBase:
    """The example."""
    return load_object(EXAMPLES / "overdrive.py", "build_model")


class Page(HTMLParser):
    """What a browser would make of a page: its texts, its elements with their attributes, its scripts."""

    VOID = frozenset({"meta", "link", "input", "br", "img"})

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self.open: list[str] = []
        self.misplaced: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.misplaced.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif not self.open or self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        """All that can be read, in one line."""
        return " ".join(" ".join(self.texts).split())

    def values(self, name: str) -> list[str]:
        """Every value of an attribute."""
        return [attributes[name] for _, attributes in self.elements if name in attributes]
