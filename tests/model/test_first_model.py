"""The first model somebody writes: nothing that restates a default, and a name that is wrong is told what was meant."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from neutone_like import (
    ContinuousParameter,
    ExportError,
    ModelError,
    ModelMetadata,
    NonRealtimeBase,
    NonRealtimeTokenizerBase,
    WaveformToWaveformBase,
    export_model,
    load_artifact,
)
from neutone_like.artifact.writing.scripting import explain_scripting_failure
from neutone_like.model.misspelled import METHODS

METADATA = ModelMetadata(name="Overdrive", authors=("Ada",), version="1.0.0", short_description="Soft clipping")
DRIVE = ContinuousParameter("drive", "Input gain", default=12.0, minimum=0.0, maximum=36.0, unit="dB")


class Overdrive(WaveformToWaveformBase):
    metadata = METADATA
    parameters = (DRIVE,)
    sample_rates = (48000,)

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.tanh(x * torch.pow(10.0, params["drive"] / 20.0))


def test_nine_lines_become_an_artifact(tmp_path: Path) -> None:
    result = export_model(Overdrive(), tmp_path / "out", validate=False, render_samples=False)
    x = torch.rand(2, 480) - 0.5
    module = load_artifact(result.model_path).module
    module.set_daw_sample_rate_and_buffer_size(48000, 480)
    torch.testing.assert_close(module.forward(x), torch.tanh(x * 10 ** (12 / 20)))


def test_every_base_class_needs_no_network() -> None:
    assert isinstance(Overdrive().model, nn.Identity)
    assert isinstance(NonRealtimeBase().model, nn.Identity)
    assert isinstance(NonRealtimeTokenizerBase(tokenizer="{}", tokenizer_type="JSON").model, nn.Identity)
    with pytest.raises(ModelError, match="tokenizer_type must be one of"):
        NonRealtimeTokenizerBase()


def test_a_printed_model_shows_what_is_declared() -> None:
    shown = repr(Overdrive(nn.Linear(2, 2)))
    assert "'Overdrive'" in shown
    assert "drive: 0..36 dB, default 12" in shown
    assert "sample_rates=(48000,)" in shown
    assert "Linear" in shown


# ---------------------------------------------------------------------- misspelled names


def method(self: Any) -> int:
    return 0


TYPOS: list[tuple[str, Any, str]] = [
    ("sample_rate", 48000, "sample_rates"),
    ("sampleRates", (48000,), "sample_rates"),
    ("samplerate", 48000, "sample_rates"),
    ("sample_rates_hz", (48000,), "sample_rates"),
    ("sampling_rate", 48000, "sample_rates"),
    ("smaple_rates", (48000,), "sample_rates"),
    ("block_size", 512, "block_sizes"),
    ("in_channel", 1, "in_channels"),
    ("out_chanels", 1, "out_channels"),
    ("look_behind", 64, "look_behind_samples"),
    ("lookbehind_samples", 64, "look_behind_samples"),
    ("parameter", (DRIVE,), "parameters"),
    ("knobs", (DRIVE,), "parameters"),
    ("drive", DRIVE, "parameters"),
    ("paramters", (), "parameters"),
    ("meta", METADATA, "metadata"),
    ("meta_data", METADATA, "metadata"),
    ("do_forward", method, "do_forward_pass"),
    ("do_foward_pass", method, "do_forward_pass"),
    ("forward_pass", method, "do_forward_pass"),
    ("reset", method, "reset_model"),
    ("prepare", method, "prepare_model"),
    ("model_delay", method, "model_delay_samples"),
]
INNOCENT: dict[str, Any] = {
    "channels": 2,
    "n_channels": 2,
    "num_channels": 2,
    "hop_size": 256,
    "block_length": 512,
    "buffer_size": 512,
    "SAMPLE_RATE": 48000,
    "window": "hann",
    "modes": ("soft", "hard"),
    "delay": 3,
    "rates": (1, 2),
    "_sample_rate": 48000,
    "helper": method,
    "layer": nn.Identity,
    "table": torch.zeros(2),
    "sample_rate": property(method),
}


@pytest.mark.parametrize(("name", "value", "meant"), TYPOS, ids=[name for name, _, _ in TYPOS])
def test_a_misspelled_name_is_told_what_was_meant(name: str, value: Any, meant: str) -> None:
    with pytest.raises(ModelError, match=rf"class Slip has '{name}', which nothing reads: did you mean '{meant}'\?"):
        type("Slip", (WaveformToWaveformBase,), {name: value})
    if meant in METHODS:
        return
    other = {"do_forward_pass": Overdrive.do_forward_pass}
    late = type("Late", (WaveformToWaveformBase,), {**other, "metadata": METADATA} if meant != "metadata" else other)
    model = late()
    setattr(model, name, value)
    with pytest.raises(ModelError, match=rf"this Late has '{name}', which nothing reads: did you mean '{meant}'\?"):
        model.declaration()


@pytest.mark.parametrize(("name", "value"), INNOCENT.items(), ids=list(INNOCENT))
def test_what_a_user_adds_is_left_alone(name: str, value: Any) -> None:
    own = {"metadata": METADATA, name: value}
    kind = type("Own", (WaveformToWaveformBase,), own)
    assert kind().declaration().metadata is METADATA


def test_a_name_is_ones_own_beside_the_right_one_or_where_it_is_used() -> None:
    class Beside(Overdrive):
        sample_rate = 48000

    class Annotated(WaveformToWaveformBase):
        metadata = METADATA
        sample_rate: int = 48000

    class Kept(WaveformToWaveformBase):
        metadata = METADATA

        def __init__(self) -> None:
            super().__init__()
            self.sample_rate = 48000

        def prepare_model(self, sample_rate: int, block_size: int) -> None:
            self.sample_rate = sample_rate

    for kind in (Beside, Annotated, Kept):
        assert kind().declaration()


def test_a_misspelled_name_set_in_init_is_found_at_export(tmp_path: Path) -> None:
    class Slip(WaveformToWaveformBase):
        metadata = METADATA

        def __init__(self) -> None:
            self.block_size = 64
            super().__init__()

        def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
            return x

    with pytest.raises(ModelError, match="did you mean 'block_sizes'"):
        export_model(Slip(), tmp_path / "out")
    with pytest.raises(ModelError, match="did you mean 'audio_in_channels'"):
        type("Slip", (NonRealtimeBase,), {"audio_in_channel": (1,)})


# ---------------------------------------------------------------------- answers


def test_a_forgotten_forward_pass_points_at_the_users_class(tmp_path: Path) -> None:
    class Empty(WaveformToWaveformBase):
        metadata = METADATA

        def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
            return x

    class EmptyOffline(NonRealtimeBase):
        metadata = METADATA

    for kind, signature in ((Empty, "params: dict[str, Tensor]"), (EmptyOffline, "audio_in: list[Tensor]")):
        with pytest.raises(ExportError) as refused:
            export_model(kind(), tmp_path / "out")
        message = str(refused.value)
        assert f"{kind.__name__} has no do_forward_pass.\n{__file__}:" in message
        assert f"class {kind.__name__}(" in message
        assert signature in message
        assert ("stands in forward()" in message) == (kind is Empty)


@pytest.mark.parametrize(
    ("said", "signature"),
    [
        ("Inferred 'params' to be of type 'Tensor'", "params: dict[str, Tensor]) -> Tensor:"),
        ("Inferred 'tokens_params' to be of type 'Tensor'", "tokens_params: list[list[int]]"),
        ("Inferred 'block_size' to be of type 'Tensor'", "def prepare_model(self, sample_rate: int, block_size: int)"),
    ],
)
def test_a_missing_annotation_is_answered_with_the_signature(said: str, signature: str) -> None:
    assert signature in explain_scripting_failure(RuntimeError(f"{said} because it was not annotated"), Overdrive())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"authors": "Ada"}, "authors: expected a tuple of strings; got 'Ada'. A single one needs a comma: ('Ada',)"),
        ({"tags": "x"}, "tags: expected a tuple of strings; got 'x'. A single one needs a comma: ('x',)"),
        ({"authors": None}, "authors: expected a tuple of strings, such as ('Ada', 'Grace'); got None"),
        ({"authors": ("A", 3)}, "authors.1: expected a string; got 3"),
        ({"technical_links": ["a"]}, "technical_links: expected a dictionary of strings"),
        ({"is_experimental": "maybe"}, "is_experimental: expected True or False; got 'maybe'"),
        ({"wet_default": "loud"}, "wet_default: expected a number; got 'loud'"),
        ({"wet_default": float("nan")}, "wet_default: expected a finite number; got nan"),
        ({"autors": ("A",)}, "autors: there is no such field, did you mean authors?; got ('A',)"),
    ],
)
def test_metadata_are_refused_in_our_words(fields: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {"name": "Good", "authors": ("Ada",), "version": "1.0.0"}
    with pytest.raises(ModelError, match=re.escape(message)) as refused:
        ModelMetadata(**{**good, **fields})
    assert "Input should" not in str(refused.value)


def test_metadata_that_are_missing_or_changed() -> None:
    with pytest.raises(ModelError, match="name: is required, and missing\nauthors: is required"):
        ModelMetadata()  # type: ignore[call-arg]
    with pytest.raises(ModelError, match="name stays as it was"):
        METADATA.name = "Other"
    with pytest.raises(ModelError, match='Write: metadata = ModelMetadata\\(name="Nameless"'):
        type("Nameless", (WaveformToWaveformBase,), {})().declaration()
