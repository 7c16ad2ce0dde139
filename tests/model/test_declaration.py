"""What a subclass may declare, where it may declare it, and what it is told when it is wrong."""

import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from neutone_like import (
    CategoricalParameter,
    ContinuousParameter,
    ModelError,
    ModelMetadata,
    ParameterError,
    TextParameter,
    TokensParameter,
    WaveformToWaveformBase,
)
from neutone_like.artifact import read_metadata, write_artifact


class Overdrive(WaveformToWaveformBase):
    metadata = ModelMetadata(
        name="Overdrive",
        authors=("Ada",),
        version="1.0.0",
        short_description="Soft clipping with drive",
        tags=("distortion",),
    )
    parameters = (ContinuousParameter("drive", "Input gain", default=12.0, minimum=0.0, maximum=36.0, unit="dB"),)
    in_channels = 2
    out_channels = 2
    sample_rates = (48000,)
    block_sizes = ()
    look_behind_samples = 0

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        return torch.tanh(x * torch.pow(10.0, params["drive"] / 20.0))


def test_a_model_can_be_called_in_a_notebook() -> None:
    model = Overdrive(nn.Identity())
    x = torch.rand(2, 64)
    torch.testing.assert_close(model(x), torch.tanh(x * 10 ** (12 / 20)))
    torch.testing.assert_close(model(x, {"drive": torch.tensor([0.0])}), torch.tanh(x))


def test_a_sample_rate_parameter_has_a_value_a_sample() -> None:
    model = Overdrive(nn.Identity())
    model.parameters = (ContinuousParameter("drive", default=3.0, maximum=6.0, rate="sample"),)
    assert model.default_parameter_values(64)["drive"].tolist() == [3.0] * 64


class Knobs:
    parameters = (ContinuousParameter("drive", default=3.0, maximum=6.0),)


class WithMixin(Knobs, Overdrive):
    pass


class BelowMixin(WithMixin):
    pass


class Assigned(Overdrive):
    pass


Assigned.parameters = Knobs.parameters


class BelowAssigned(Assigned):
    pass


@pytest.mark.parametrize("kind", [WithMixin, BelowMixin, Assigned, BelowAssigned])
def test_parameters_of_a_mixin_or_assigned_to_the_class(kind: type[Overdrive], tmp_path: Path) -> None:
    model = kind(nn.Linear(2, 2))
    assert [parameter.maximum for parameter in model.declaration().parameters] == [6.0]
    assert len(list(model.parameters())) == 2  # pyright: ignore[reportCallIssue]
    written = write_artifact(model, tmp_path / "out", render_samples=False)
    ours = read_metadata(written.model_path).neutone_like
    assert ours is not None
    assert [parameter.name for parameter in ours.parameters] == ["drive"]
    assert [parameter.maximum for parameter in Overdrive(nn.Identity()).declaration().parameters] == [36.0]


def test_parameters_assigned_to_the_class_of_a_finished_model() -> None:
    class Late(Overdrive):
        def __init__(self) -> None:
            self.parameters = ()
            super().__init__(nn.Identity())

    class Other(Overdrive):
        pass

    model = Other(nn.Linear(2, 2))
    Other.parameters = ()
    assert model.declaration().parameters == ()
    assert len(list(model.parameters())) == 2  # pyright: ignore[reportCallIssue]
    Late.parameters = Knobs.parameters
    assert Late().declaration().parameters == ()


def test_attributes_may_be_set_anywhere_before_export() -> None:
    class Before(Overdrive):
        def __init__(self) -> None:
            self.sample_rates = (44100,)
            self.in_channels = 1
            self.parameters = ()
            super().__init__(nn.Identity())

    assert Before().declaration().sample_rates == (44100,)
    assert Before().declaration().in_channels == 1
    assert Before().declaration().parameters == ()
    model = Overdrive(nn.Identity())
    model.look_behind_samples = 7
    model.parameters = [*model.parameters, CategoricalParameter("mode", labels=("a", "b"))]
    assert model.declaration().look_behind_samples == 7
    assert [parameter.name for parameter in model.declaration().parameters] == ["drive", "mode"]
    assert [parameter.name for parameter in Overdrive(nn.Identity()).declaration().parameters] == ["drive"]


def test_parameters_are_still_pytorchs_weights_when_called() -> None:
    model = Overdrive(nn.Linear(3, 2))
    assert [weight.shape for weight in model.parameters()] == [(2, 3), (2,)]  # pyright: ignore[reportCallIssue]
    assert len(list(model.parameters(recurse=False))) == 0  # pyright: ignore[reportCallIssue]
    torch.optim.SGD(model.parameters(), lr=0.1)  # pyright: ignore[reportCallIssue]
    model.requires_grad_(False)
    assert not any(weight.requires_grad for weight in model.parameters())  # pyright: ignore[reportCallIssue]
    assert Overdrive.parameters[0].name == "drive"


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("metadata", None, "metadata: expected a ModelMetadata, got None"),
        ("in_channels", 0, r"in_channels: expected an integer in 1\.\.64, got 0"),
        ("out_channels", 2.0, r"out_channels: expected an integer in 1\.\.64, got 2.0"),
        ("sample_rates", (44100, 44100), r"sample_rates: every value must be unique"),
        ("sample_rates", (44100.0,), r"sample_rates: expected an integer in 1000\.\.384000, got 44100.0"),
        ("sample_rates", 44100, "sample_rates: expected a tuple of integers .*got 44100"),
        ("block_sizes", (0,), r"block_sizes: expected an integer in 1\.\.\d+, got 0"),
        ("look_behind_samples", -1, r"look_behind_samples: expected an integer in 0\.\.\d+, got -1"),
        ("parameters", (TextParameter("prompt"),), "a live model takes .*, got TextParameter 'prompt'"),
        ("parameters", (ContinuousParameter("a"), ContinuousParameter("a")), "the name 'a' is used twice"),
    ],
)
def test_a_wrong_attribute_is_named_with_its_value(attribute: str, value: Any, message: str) -> None:
    model = Overdrive(nn.Identity())
    setattr(model, attribute, value)
    with pytest.raises(ModelError, match=message):
        model.declaration()


def test_a_bare_parameter_set_from_outside_is_refused_in_words() -> None:
    class Plain(Overdrive):
        pass

    setattr(Plain, "parameters", ContinuousParameter("a"))  # noqa: B010
    with pytest.raises(ModelError, match="A single one needs a comma"):
        Plain(nn.Identity())


def test_every_wrong_attribute_is_named_at_once() -> None:
    model = Overdrive(nn.Identity())
    model.in_channels = 99
    model.block_sizes = (-5,)
    with pytest.raises(ModelError, match="in_channels(.|\n)*block_sizes"):
        model.declaration()


def test_common_slips_have_an_answer() -> None:
    with pytest.raises(ModelError, match=r"needs a comma: \(ContinuousParameter"):

        class Slip(Overdrive):  # pyright: ignore[reportUnusedClass]
            parameters = ContinuousParameter("drive")

    with pytest.raises(ModelError, match=r"must be a torch.nn.Module, got str.*torch.nn.Identity\(\)"):
        Overdrive("weights.pt")  # pyright: ignore[reportArgumentType]
    with pytest.raises(NotImplementedError, match="Write do_forward_pass"):
        WaveformToWaveformBase(nn.Identity()).do_forward_pass(torch.zeros(2, 1), {})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "name must be a non-empty string, got ''"),
        ({"name": "a", "minimum": 1.0, "maximum": 1.0, "default": 1.0}, "minimum must be below maximum"),
        ({"name": "a", "default": 2.0}, r"default must lie in 0.0\.\.1.0, got 2.0"),
        ({"name": "a", "default": float("nan")}, "default must be a finite number, got nan"),
        ({"name": "a", "maximum": "1"}, "maximum must be a finite number, got '1'"),
        ({"name": "a", "rate": "audio"}, "rate must be 'block' or 'sample', got 'audio'"),
        ({"name": "a", "smoothing_seconds": -1.0}, r"smoothing_seconds must lie in 0\.\.1, got -1.0"),
        ({"name": "a", "description": None}, "description must be a string, got None"),
    ],
)
def test_a_wrong_continuous_parameter_is_told_so(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        ContinuousParameter(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"labels": ("only",)}, "labels must be two or more non-empty strings, got"),
        ({"labels": ("a", "a")}, "labels must differ from one another"),
        ({"labels": ("a", "b"), "default": 2}, r"one of \['a', 'b'\] or an index in 0\.\.1, got 2"),
        ({"labels": ("a", "b"), "default": "c"}, r"one of \['a', 'b'\] .* got 'c'"),
    ],
)
def test_a_wrong_choice_is_told_so(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        CategoricalParameter("mode", **fields)


def test_text_and_tokens_keep_their_limits() -> None:
    assert TextParameter("prompt", default="hello", max_characters=5).default == "hello"
    assert TokensParameter("tokens", default=(1, 2), max_tokens=2).default == (1, 2)
    with pytest.raises(ParameterError, match="may have 4 characters, got 5"):
        TextParameter("prompt", default="hello", max_characters=4)
    with pytest.raises(ParameterError, match="max_characters must be -1 .* got 0"):
        TextParameter("prompt", max_characters=0)
    with pytest.raises(ParameterError, match="may have 1 tokens, got 2"):
        TokensParameter("tokens", default=(1, 2), max_tokens=1)
    with pytest.raises(ParameterError, match="must hold integers"):
        TokensParameter("tokens", default=(1.5,))  # pyright: ignore[reportArgumentType]


def test_values_map_to_a_hosts_0_to_1() -> None:
    gain = ContinuousParameter("gain", default=0.0, minimum=-60.0, maximum=12.0, unit="dB")
    assert gain.to_0to1(-60.0) == 0.0
    assert gain.to_0to1(12.0) == 1.0
    assert gain.default_0to1 == pytest.approx(60 / 72)
    with pytest.raises(ParameterError, match=r"'gain': allowed is -60.0\.\.12.0 dB, got 13"):
        gain.to_0to1(13)
    mode = CategoricalParameter("mode", labels=("a", "b", "c"), default="c")
    assert (mode.default, mode.default_0to1, mode.to_0to1("b")) == (2, 1.0, 0.5)


GOOD: dict[str, Any] = {"name": "Good", "authors": ("Ada",), "version": "1.0.0"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "x" * 31}, "name: .*at most 30 characters; got 'xxx"),
        ({"authors": tuple("abcdef")}, "authors: .*at most 5"),
        ({"authors": ()}, "authors: .*at least 1"),
        (
            {"short_description": "x" * 151},
            "short_description: .*150 characters",
        ),
        ({"long_description": "x" * 501}, "long_description: .*500 characters"),
        ({"technical_description": "x" * 501}, "technical_description: .*500 characters"),
        ({"technical_links": {str(n): "x" for n in range(4)}}, "technical_links: .*at most 3"),
        ({"tags": tuple("abcdefgh")}, "tags: .*at most 7"),
        ({"tags": ("x" * 16,)}, r"tags\.0: .*at most 15 characters"),
        ({"citation": "x" * 151}, "citation: .*150 characters"),
        ({"wet_default": 1.5}, "wet_default: .*less than or equal to 1; got 1.5"),
        ({"input_gain_default_db": -31.0}, "input_gain_default_db: .*-30; got -31.0"),
        ({"colour": "red"}, "colour: .*got 'red'"),
        ({"version": 1}, "version: .*string; got 1"),
        ({"name": b"Good"}, "name: expected a string; got b'Good'"),
        ({"tags": {"a", "b"}}, r"tags: expected a tuple of strings, such as .* got \{"),
        ({"technical_links": {b"paper": "x"}}, "technical_links.*: expected a string; got b'paper'"),
        ({"wet_default": "0.5"}, "wet_default: expected a number; got '0.5'"),
        ({"wet_default": True}, "wet_default: expected a number; got True"),
        ({"is_experimental": "yes"}, "is_experimental: expected True or False; got 'yes'"),
    ],
)
def test_metadata_over_a_limit_is_named(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        ModelMetadata(**{**GOOD, **fields})


def test_metadata_come_from_json_and_from_numpy() -> None:
    fields: dict[str, Any] = {
        **GOOD,
        "tags": ("drive",),
        "wet_default": 0.5,
        "output_gain_default_db": -3,
        "technical_links": {"a": "b"},
    }
    metadata, text = ModelMetadata(**fields), json.dumps(fields)
    assert ModelMetadata(**json.loads(text)) == metadata
    assert ModelMetadata.model_validate_json(text) == metadata == ModelMetadata.model_validate(json.loads(text))
    assert ModelMetadata.model_validate_json(metadata.model_dump_json()) == metadata
    cases: tuple[Any, ...] = ((ModelMetadata.model_validate_json, "{"), (ModelMetadata.model_validate, 3))
    for read, given in cases:
        with pytest.raises(ModelError, match="ModelMetadata does not fit:\n.*expected (JSON|the fields by name)"):
            read(given)
    numbers: dict[str, Any] = {"wet_default": np.float32(0.5), "output_gain_default_db": np.int64(-3)}
    others: dict[str, Any] = {"tags": iter(["drive"]), "technical_links": MappingProxyType({"a": "b"})}
    others["is_experimental"] = np.bool_(False)
    assert ModelMetadata(**{**fields, **numbers, **others}) == metadata
    assert type(ModelMetadata(**{**fields, **numbers}).wet_default) is float


def test_metadata_at_its_limits_is_good() -> None:
    ModelMetadata(
        name="x" * 30,
        authors=tuple("abcde"),
        version="1",
        short_description="x" * 150,
        long_description="x" * 500,
        technical_description="x" * 500,
        technical_links={str(n): "x" for n in range(3)},
        tags=tuple("x" * 14 + str(n) for n in range(7)),
        citation="x" * 150,
    )
