"""What an offline model declares: class or instance attributes, all checked, all problems named."""

from typing import Any

import pytest
import torch
from torch import nn

from neutone_like import (
    ContinuousParameter,
    ModelError,
    NonRealtimeBase,
    TextParameter,
    WaveformToWaveformBase,
)
from support.offline_models import ALL_FOUR_KINDS, AllKinds, Mixer, Ramp, WholeDelay, metadata


class Plain(NonRealtimeBase):
    metadata = metadata("Plain")


class Once(Plain):
    def is_one_shot_model(self) -> bool:
        return True


def test_defaults() -> None:
    declared = Plain(nn.Identity()).declaration()
    assert (declared.audio_in_channels, declared.audio_out_channels) == ((2,), (2,))
    assert (declared.in_labels, declared.out_labels) == (("input",), ("output",))
    assert (declared.sample_rates, declared.block_sizes, declared.look_behind_samples) == ((), (), 0)
    assert (declared.overlap_window, declared.overlap_hop_samples, declared.keeps_length) == ("", 0, True)
    assert (declared.is_one_shot, declared.is_generator) == (False, False)
    assert (declared.model_bpm, declared.tokenizer_type) == (None, None)


def test_attributes_on_the_instance_before_and_after_the_constructor() -> None:
    class Late(Plain):
        def __init__(self) -> None:
            self.audio_in_channels = (1, 2, 1)
            super().__init__(nn.Identity())
            self.audio_out_channels = [1]  # pyright: ignore[reportAttributeAccessIssue]
            self.look_behind_samples = 7

    model = Late()
    model.sample_rates = (44100,)
    declared = model.declaration()
    assert declared.audio_in_channels == (1, 2, 1)
    assert declared.in_labels == ("input 1", "input 2", "input 3")
    assert declared.audio_out_channels == (1,)
    assert (declared.look_behind_samples, declared.sample_rates) == (7, (44100,))
    assert Plain(nn.Identity()).declaration().audio_in_channels == (2,)


def test_parameters_of_all_kinds_by_kind() -> None:
    declared = AllKinds().declaration()
    assert declared.parameters == ALL_FOUR_KINDS
    assert declared.numerical_parameters == ALL_FOUR_KINDS[:2]
    assert declared.text_parameters == ALL_FOUR_KINDS[2:3]
    assert declared.tokens_parameters == ALL_FOUR_KINDS[3:]


def test_parameters_are_declared_and_the_weights_are_still_there() -> None:
    class Both(Plain):
        parameters = (ContinuousParameter("a"), TextParameter("b"))

    model = Both(nn.Linear(2, 3))
    assert [parameter.name for parameter in model.parameters] == ["a", "b"]
    assert [tuple(weight.shape) for weight in model.parameters()] == [(3, 2), (3,)]  # pyright: ignore[reportCallIssue]
    assert len(list(torch.optim.SGD(model.parameters(), lr=0.1).param_groups[0]["params"])) == 2  # pyright: ignore[reportCallIssue]
    model.parameters = ()
    assert model.declaration().parameters == ()
    assert [parameter.name for parameter in Both.parameters] == ["a", "b"]


def test_the_two_bases_do_not_meddle() -> None:
    class Live(WaveformToWaveformBase):
        parameters = (ContinuousParameter("live"),)

    class Whole(NonRealtimeBase):
        parameters = (TextParameter("whole"),)

    assert [parameter.name for parameter in Live.parameters] == ["live"]
    assert [parameter.name for parameter in Whole.parameters] == ["whole"]
    assert WaveformToWaveformBase.parameters == NonRealtimeBase.parameters == ()


def test_generators_and_labels() -> None:
    assert Ramp().declaration().is_generator
    assert Ramp().declaration().in_labels == ()
    assert Ramp().declaration().out_labels == ("output 1", "output 2")
    assert Mixer().declaration().out_labels == ("mono", "both", "band/only")


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"metadata": "me"}, "metadata: expected a ModelMetadata, got 'me'"),
        ({"audio_in_channels": 2}, r"audio_in_channels: expected a tuple with one channel count each, such as \(2,\)"),
        ({"audio_in_channels": (0,)}, r"audio_in_channels: expected an integer in 1..64, got 0"),
        ({"audio_out_channels": ()}, r"audio_out_channels: a model has at least one output, such as \(2,\), got \(\)"),
        ({"audio_out_channels": (2, "a")}, r"audio_out_channels: expected an integer in 1..64, got 'a'"),
        ({"audio_out_labels": ("a", "b")}, r"audio_out_labels: expected one label for each of the 1, got \('a', 'b'\)"),
        ({"audio_in_labels": ("",)}, r"audio_in_labels: expected a tuple of non-empty strings"),
        ({"audio_in_channels": (1, 1), "audio_in_labels": ("a", "a")}, r"audio_in_labels: every label must be unique"),
        ({"sample_rates": 44100}, "sample_rates: expected a tuple of integers"),
        ({"block_sizes": (0,)}, r"block_sizes: expected an integer in 1..1048576, got 0"),
        ({"look_behind_samples": -1}, r"look_behind_samples: expected an integer in 0..1048576, got -1"),
        ({"overlap_window": "kaiser"}, r"overlap_window: expected one of \('hann', .*\), or '' for none, got 'kaiser'"),
        ({"overlap_window": "hann"}, "set both or neither, got overlap_window='hann' and overlap_hop_samples=0"),
        ({"overlap_hop_samples": 5}, "set both or neither, got overlap_window='' and overlap_hop_samples=5"),
        ({"overlap_window": "hann", "overlap_hop_samples": 5}, r"block_sizes must name the length of the frames"),
        (
            {"overlap_window": "hann", "overlap_hop_samples": 200, "block_sizes": (400, 100)},
            "overlap_hop_samples: expected at most the shortest block size, 100, got 200",
        ),
        (
            {"overlap_window": "hann", "overlap_hop_samples": 5, "block_sizes": (9,), "audio_in_channels": ()},
            "a generator has no input whose blocks could overlap",
        ),
        ({"look_behind_samples": 5, "audio_in_channels": ()}, "a generator has no input to look behind at"),
        ({"keeps_length": False}, "keeps_length: only a one-shot model may have an output of another length"),
        ({"keeps_length": 1}, "keeps_length: expected True or False, got 1"),
        ({"parameters": (3,)}, "parameters: expected ContinuousParameter, .* or TokensParameter, got int"),
        ({"parameters": (TextParameter("a"), ContinuousParameter("a"))}, "the name 'a' is used twice"),
    ],
)
def test_what_is_refused(attributes: dict[str, Any], message: str) -> None:
    model = Plain(nn.Identity())
    for name, value in attributes.items():
        setattr(model, name, value)
    with pytest.raises(ModelError, match=message):
        model.declaration()


def test_one_shot_models_have_no_blocks() -> None:
    model = Once(nn.Identity())
    model.look_behind_samples = 3
    with pytest.raises(ModelError, match="a one-shot model sees the whole signal: look_behind_samples and"):
        model.declaration()


def test_methods_that_answer_wrongly() -> None:
    class Wrong(Plain):
        def is_one_shot_model(self) -> Any:
            return "yes"

        def get_model_bpm(self) -> Any:
            return 0

    with pytest.raises(ModelError) as caught:
        Wrong(nn.Identity()).declaration()
    assert r"is_one_shot_model(): expected True or False, got 'yes'" in str(caught.value)
    assert r"get_model_bpm(): expected an integer in 1..1000, got 0" in str(caught.value)


def test_every_problem_is_named_at_once() -> None:
    model = WholeDelay()
    model.sample_rates = "all"  # pyright: ignore[reportAttributeAccessIssue]
    model.keeps_length = False
    model.audio_out_channels = ()
    with pytest.raises(ModelError) as caught:
        model.declaration()
    for field in ("WholeDelay is not declared correctly", "sample_rates", "keeps_length", "audio_out_channels"):
        assert field in str(caught.value)


def test_the_network_must_be_one() -> None:
    with pytest.raises(ModelError, match=r"Plain: model must be a torch.nn.Module, got int"):
        Plain(3)  # type: ignore[arg-type]


def test_parameters_must_be_a_tuple() -> None:
    with pytest.raises(ModelError, match="parameters must be a tuple of parameters .* needs a comma"):

        class Single(Plain):  # pyright: ignore[reportUnusedClass]
            parameters = TextParameter("a")  # pyright: ignore[reportAssignmentType]


def test_the_method_to_write() -> None:
    with pytest.raises(NotImplementedError, match="Write do_forward_pass in your subclass"):
        Plain(nn.Identity()).do_forward_pass(0, [], {}, [], [])
