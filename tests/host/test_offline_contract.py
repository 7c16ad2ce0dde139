"""The interface of an offline ``.nm``, scripted and loaded again: methods, types, metadata."""

import json
from typing import Any

import pytest
import torch
from torch import nn

from neutone_like import (
    AudioError,
    ModelError,
    NonRealtimeSampleQueueWrapper,
    NonRealtimeTokenizerBase,
)
from neutone_like.host import offline_contract_metadata
from neutone_like.validate.conditions import optimiser
from support.offline_models import AllKinds, Mixer, Ramp, WholeDelay, reloaded, scripted
from support.offline_models import without_the_optimiser as without_the_optimiser

CONTRACT = [
    "set_daw_sample_rate_and_buffer_size", "is_one_shot_model", "is_resampling", "has_progress_percentage",
    "is_text_model", "is_tokens_model", "get_progress_percentage", "should_cancel_forward_pass",
    "request_cancel_forward_pass", "get_audio_in_channels", "get_audio_out_channels", "get_native_sample_rates",
    "get_native_buffer_sizes", "get_current_model_sample_rate", "get_current_model_buffer_size", "get_model_bpm",
    "get_tokenizer_str", "get_tokenizer_type", "get_numerical_params_default_values_0to1", "to_metadata",
    "get_metadata_json", "get_preserved_attributes", "forward_non_realtime",
]  # fmt: skip

REQUIRED_KEYS = {
    "model_name", "model_authors", "model_version", "model_short_description", "model_long_description",
    "technical_description", "technical_links", "tags", "citation", "is_experimental", "sample_sound_files",
    "neutone_parameters", "wet_default_value", "dry_default_value", "input_gain_default_value",
    "output_gain_default_value", "native_sample_rates", "native_buffer_sizes", "sdk_version", "pytorch_version",
    "date_created",
}  # fmt: skip


class InTempo(Mixer):
    @torch.jit.export
    def get_model_bpm(self) -> int | None:
        return 120


def test_every_method_answers_after_loading() -> None:
    module: Any = reloaded(scripted(AllKinds()))
    assert module.realtime is False
    assert module.use_debug_mode is False
    assert module.nrb is not None
    assert set(CONTRACT) <= set(module.get_preserved_attributes())
    for name in module.get_preserved_attributes():
        assert hasattr(module, name), name
    assert (module.is_one_shot_model(), module.is_text_model(), module.is_tokens_model()) == (False, True, True)
    assert module.get_audio_in_channels() == [2]
    assert module.get_audio_out_channels() == [1] * 5
    assert module.get_native_sample_rates() == [48000]
    assert module.get_native_buffer_sizes() == [512]
    assert module.get_model_bpm() is None
    assert module.get_tokenizer_str() == ""
    assert module.get_tokenizer_type() is None
    assert module.get_numerical_params_default_values_0to1().tolist() == [[pytest.approx(0.2)], [0.5]]
    assert module.get_progress_percentage() == 0.0
    assert module.get_model_name() == "All kinds"
    assert module.set_daw_sample_rate_and_buffer_size(44100, 64) == -1
    assert module.is_resampling() is True
    assert (module.get_current_model_sample_rate(), module.get_current_model_buffer_size()) == (48000, 512)


def test_forward_has_two_names() -> None:
    wrapper = scripted(Mixer())
    audio = [torch.rand(1, 500), torch.rand(2, 500)]
    for one, other in zip(wrapper.forward(audio), wrapper.forward_non_realtime(audio)):
        assert torch.equal(one, other)


def test_a_frozen_module_plays_the_same() -> None:
    wrapper: Any = scripted(AllKinds())
    audio = [torch.rand(2, 2000)]
    expected = wrapper.forward(audio)
    with optimiser(True):  # a frozen module can't do without
        frozen = torch.jit.freeze(wrapper.eval(), wrapper.get_preserved_attributes())
        for one, other in zip(expected, frozen.forward(audio)):
            assert torch.equal(one, other)


def test_a_generator_says_so() -> None:
    module = reloaded(scripted(Ramp()))
    assert module.get_audio_in_channels() == []
    assert module.is_one_shot_model() is False
    assert module.get_current_model_buffer_size() == 65536
    assert reloaded(scripted(Ramp(one_shot=True))).get_current_model_buffer_size() == 0


def test_metadata_is_one_and_the_same_everywhere() -> None:
    for model in (AllKinds(), InTempo(), Ramp(one_shot=True)):
        wrapper = scripted(model)
        expected = offline_contract_metadata(model.declaration())
        told = json.loads(wrapper.get_metadata_json())
        assert told == json.loads(json.dumps(expected)) | {"date_created": told["date_created"]}
        assert told.keys() >= REQUIRED_KEYS
        dictionary = wrapper.to_metadata()
        assert dictionary == {key: told[key] for key in told if key not in ("neutone_like", "sample_sound_files")}


def test_parameters_in_the_metadata() -> None:
    slots = json.loads(NonRealtimeSampleQueueWrapper(AllKinds()).get_metadata_json())["neutone_parameters"]
    assert list(slots) == ["p1", "p2", "p3", "p4", "p5", "p6"]
    assert [slot["type"] for slot in slots.values()][:2] == ["continuous", "categorical"]
    assert [slot["used"] for slot in slots.values()] == [True, True, False, False, True, True]
    assert slots["p5"] == {
        "name": "prompt",
        "description": "What to play",
        "default_value": "hé",
        "used": True,
        "type": "text",
        "max_n_chars": 5,
    }
    assert (slots["p6"]["default_value"], slots["p6"]["max_n_tokens"]) == ([60, 64], 3)


def test_labels_tempo_and_kind_in_the_metadata() -> None:
    told = json.loads(NonRealtimeSampleQueueWrapper(InTempo()).get_metadata_json())
    assert told["audio_in_channels"] == [1, 2]
    assert told["audio_in_labels"] == ["voice", "band"]
    assert told["audio_out_labels"] == ["mono", "both", "band/only"]
    assert told["model_bpm"] == 120
    assert (told["is_one_shot_model"], told["is_text_model"], told["is_tokens_model"]) == (False, False, False)
    assert told["neutone_like"]["realtime"] is False
    assert told["neutone_like"]["keeps_length"] is True


def test_rates_and_blocks_can_be_chosen() -> None:
    wrapper = NonRealtimeSampleQueueWrapper(WholeDelay(sample_rates=(44100, 48000), block_sizes=(256, 1024)))
    assert wrapper.get_current_model_buffer_size() == 1024  # the largest
    for rate, runs_at in ((44100, 44100), (48000, 48000), (22050, 44100), (96000, 48000)):
        wrapper.set_daw_sample_rate_and_buffer_size(rate, 512)
        assert wrapper.get_current_model_sample_rate() == runs_at
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 512, 44100, 256)
    assert (wrapper.get_current_model_sample_rate(), wrapper.get_current_model_buffer_size()) == (44100, 256)
    refused: list[tuple[Any, str]] = [
        ((0, 512), "at least 1, got 0 Hz"),
        ((48000, 0), "at least 1, got 48000 Hz and 0"),
        ((48000, 512, 32000), r"sample rates are \[44100, 48000\] .* got 32000 Hz"),
        ((48000, 512, 48000, 100), r"block sizes are \[256, 1024\] .* got 100"),
        ((48000, 512, None, 0), r"block sizes are .* got 0"),
        ((383993, 512, 44100), r"Use rates with a larger common divisor"),
    ]
    for arguments, message in refused:
        with pytest.raises(AudioError, match=message):
            wrapper.set_daw_sample_rate_and_buffer_size(*arguments)
        assert wrapper.get_current_model_sample_rate() == 44100  # as it was
    with pytest.raises(ModelError, match=r"quality must be one of .* got 'best'"):
        NonRealtimeSampleQueueWrapper(WholeDelay(), "best")


def test_a_delay_that_cannot_be() -> None:
    with pytest.raises(ModelError, match="model_delay_samples must return 0 or more, got -1"):
        _late(-1)
    with pytest.raises(ModelError, match=r"leaves gaps: of each block of 100 samples, the model's delay leaves 40"):
        _late(60, block_sizes=(100,), overlap_window="hann", overlap_hop_samples=50)


def _late(delay: int, **options: Any) -> NonRealtimeSampleQueueWrapper:
    class Late(WholeDelay):
        @torch.jit.export
        def model_delay_samples(self) -> int:
            return delay

    return NonRealtimeSampleQueueWrapper(Late(**options))


class WithTokenizer(NonRealtimeTokenizerBase):
    metadata = Mixer.metadata
    audio_out_channels = (2,)

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[torch.Tensor],
        numerical_params: dict[str, torch.Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[torch.Tensor]:
        return audio_in


@pytest.mark.parametrize("kind", ["JSON", "SentencePiece", "RWKVWorld"])
def test_a_tokenizer_comes_along(kind: str) -> None:
    import base64

    content = b"\x00\xff{}"
    module = reloaded(scripted(WithTokenizer(nn.Identity(), content, kind)))
    assert base64.b64decode(module.get_tokenizer_str()) == content
    assert module.get_tokenizer_type() == kind
    assert module.forward([torch.ones(2, 10)])[0].shape == (2, 10)
    assert json.loads(module.get_metadata_json())["neutone_like"]["tokenizer_type"] == kind


def test_a_tokenizer_as_text_is_its_utf_8() -> None:
    one, other = WithTokenizer(nn.Identity(), "é", "JSON"), WithTokenizer(nn.Identity(), "é".encode(), "JSON")
    assert one.get_tokenizer_str() == other.get_tokenizer_str()


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        ("{}", "BPE", r"tokenizer_type must be one of \('JSON', 'SentencePiece', 'RWKVWorld'\), got 'BPE'"),
        ("", "JSON", "content of the tokenizer's file, as text or bytes, got ''"),
        (None, "JSON", "as text or bytes, got None"),
    ],
)
def test_tokenizers_that_are_refused(content: Any, kind: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        WithTokenizer(nn.Identity(), content, kind)
