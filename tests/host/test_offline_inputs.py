"""What goes into an offline model, and what is refused: audio, numbers, texts, tokens."""

from typing import Any

import pytest
import torch
from torch import Tensor

from neutone_like import (
    AudioError,
    ModelError,
    NonRealtimeBase,
    NonRealtimeSampleQueueWrapper,
    ParameterError,
    SampleQueueWrapper,
)
from support.host_models import noise
from support.offline_models import (
    AllKinds,
    Misbehaved,
    Mixer,
    Ramp,
    Volume,
    WholeDelay,
    in_pieces,
    reloaded,
    scripted,
    three_ways,
)
from support.offline_models import without_the_optimiser as without_the_optimiser

X = torch.zeros(2, 100)


@pytest.fixture(scope="module")
def scripted_mixer() -> NonRealtimeSampleQueueWrapper:
    return scripted(Mixer())


@pytest.fixture(scope="module")
def scripted_kinds() -> NonRealtimeSampleQueueWrapper:
    return scripted(AllKinds())


def test_several_inputs_and_outputs() -> None:
    voice, band = noise(5000, channels=1), noise(5000, seed=1)
    for name, wrapper in three_ways(Mixer()).items():
        mono, both, only = wrapper.forward([voice, band])
        assert torch.equal(mono, voice), name
        assert torch.equal(both, voice + band), name
        assert torch.equal(only, band), name
        mono += 1.0  # what comes out is the caller's own
        assert torch.equal(wrapper.forward([voice, band])[0], voice), name


def test_mono_and_stereo_are_converted() -> None:
    stereo, mono = noise(300), noise(300, channels=1, seed=1)
    wrapper = scripted(Mixer())
    voice, both, only = wrapper.forward([stereo, mono])
    torch.testing.assert_close(voice, stereo.mean(0, keepdim=True))
    assert torch.equal(only, mono.repeat(2, 1))
    torch.testing.assert_close(both, voice + only)


def test_the_callers_tensors_stay_as_they_are() -> None:
    class Scribbler(WholeDelay):
        def do_forward_pass(
            self,
            curr_block_idx: int,
            audio_in: list[Tensor],
            numerical_params: dict[str, Tensor],
            text_params: list[str],
            tokens_params: list[list[int]],
        ) -> list[Tensor]:
            audio_in[0].fill_(7.0)
            return audio_in

    x = noise(300)
    kept = x.clone()
    modes: list[dict[str, Any]] = [{}, {"one_shot": True}, {"block_sizes": (100,)}]
    for options in modes:
        NonRealtimeSampleQueueWrapper(Scribbler(**options)).forward([x])
        assert torch.equal(x, kept)


@pytest.mark.parametrize("rate", [48000, 44100])
def test_all_four_kinds_reach_the_model_in_their_own_units(rate: int) -> None:
    for name, wrapper in three_ways(AllKinds()).items():
        wrapper.set_daw_sample_rate_and_buffer_size(rate, 512)
        ends = []
        for given in (
            (None, None, None),
            (torch.tensor([[1.0], [1.0]]), ["日本語"], [[1, 2, 3]]),
            (torch.tensor([[0.25], [0.0], [0.3]]), [""], [[]]),
        ):
            outputs = wrapper.forward([torch.zeros(2, 3000)], *given)
            ends.append([round(float(y[0, 1500]), 3) for y in outputs])
        # TorchScript counts the bytes of a text in UTF-8, Python its characters: that is the model's own affair.
        characters = {"eager": (2, 3), "scripted": (3, 9), "reloaded": (3, 9)}[name]
        assert ends == [[2, 1, characters[0], 2, 124], [10, 2, characters[1], 3, 6], [2.5, 0, 0, 0, 0]], name


def test_numbers_for_every_sample_meet_their_samples() -> None:
    values = torch.rand(1, 20000, generator=torch.Generator().manual_seed(0))
    quiet = scripted(Ramp(block_sizes=(1000,)))
    (silent, _) = quiet.forward([], torch.zeros(1, 20000))
    (y, _) = quiet.forward([], values)
    torch.testing.assert_close(y - silent, values, atol=2e-6, rtol=0.0)
    quiet.begin(20000)
    parts = [quiet.push([], values[:, start : start + 777])[0] for start in range(0, 20000, 777)]
    parts.append(quiet.finish()[0])
    assert torch.equal(torch.cat(parts, 1), y)


VOLUME_MODES: dict[str, dict[str, Any]] = {
    "one-shot": {"one_shot": True},
    "any block": {},
    "blocks": {"block_sizes": (777,)},
    "look-behind": {"block_sizes": (1000,), "look_behind_samples": 50},
    "overlap": {"block_sizes": (1000,), "overlap_window": "hann", "overlap_hop_samples": 300},
}


@pytest.mark.parametrize("mode", VOLUME_MODES)
def test_automation_meets_its_samples_in_every_mode(mode: str) -> None:
    time = torch.arange(50001) / 48000.0
    tone = (0.5 * torch.sin(3000.0 * time) * torch.hann_window(50001)).repeat(2, 1)
    slow = (0.5 + 0.5 * torch.sin(30.0 * time)).unsqueeze(0)
    fast = torch.rand(1, 50001)
    wrapper = scripted(Volume(**VOLUME_MODES[mode]))
    torch.testing.assert_close(wrapper.forward([tone], fast)[0], tone * fast, atol=3e-7, rtol=0.0)
    for rate in (44100, 96000):
        wrapper.set_daw_sample_rate_and_buffer_size(rate, 512)
        (y,) = wrapper.forward([tone], slow)
        torch.testing.assert_close(y, tone * slow, atol=1e-4, rtol=0.0)
        assert torch.equal(in_pieces(wrapper, [tone], [777, 1, 30000], slow)[0], y)


@pytest.mark.parametrize("rate", [48000, 44100])
def test_a_jump_lands_on_the_block_it_belongs_to(rate: int) -> None:
    wrapper = scripted(AllKinds())
    wrapper.set_daw_sample_rate_and_buffer_size(rate, 512)
    params = torch.zeros(2, 40000)
    params[0, 20000:] = 1.0
    audio = [torch.zeros(2, 40000)]
    level = wrapper.forward(audio, params)[0][0]
    # The first block that begins after the jump hears it.
    arrived = int((level > 5.0).int().argmax())
    assert 20000 <= arrived < 20000 + 512 * rate // 48000 + 2
    torch.testing.assert_close(level[:19000], torch.zeros(19000), atol=1e-6, rtol=0.0)
    torch.testing.assert_close(level[21000:-100], torch.full((18900,), 10.0), atol=1e-4, rtol=0.0)
    assert torch.equal(in_pieces(wrapper, audio, [999, 1], params)[0][0], level)


def test_a_constant_is_the_same_as_itself_at_every_sample() -> None:
    wrapper = scripted(AllKinds())
    audio = [torch.zeros(2, 5000)]
    constant = torch.tensor([[0.3], [0.5]])
    for one, other in zip(wrapper.forward(audio, constant), wrapper.forward(audio, constant.expand(2, 5000))):
        assert torch.equal(one, other)


AUDIO_REFUSED = [
    ([], r"Expected 2 audio inputs \['voice', 'band'\], got 0. Pass one float32 tensor"),
    ([X], r"Expected 2 audio inputs .* got 1"),
    ([X, X, X], r"Expected 2 audio inputs .* got 3"),
    ([X, torch.zeros(2, 99)], r"equally long, got 100 samples for 'voice' and 99 for 'band'. Add silence"),
    ([X, X[0]], r"'band': expected float32 audio of shape \(channels, samples\) .* got float32 of shape"),
    ([X.double(), X], r"'voice': expected float32 audio .* got another type"),
    ([torch.zeros(2, 0), X], r"'voice': expected float32 audio .* with at least one sample"),
    ([X, torch.zeros(3, 100)], r"'band': expected 2 channels, got 3. Only mono and stereo"),
]


@pytest.mark.parametrize(("audio", "message"), AUDIO_REFUSED, ids=[message[:30] for _, message in AUDIO_REFUSED])
def test_audio_that_is_refused(
    audio: list[Tensor], message: str, scripted_mixer: NonRealtimeSampleQueueWrapper
) -> None:
    wrapper = NonRealtimeSampleQueueWrapper(Mixer())
    with pytest.raises(AudioError, match=message):
        wrapper.forward(audio)
    wrapper.begin(100)
    with pytest.raises(AudioError, match=message):
        wrapper.push(audio)
    with pytest.raises(Exception, match=message.replace(r"\['voice', 'band'\]", r"\[voice, band\]")):
        scripted_mixer.forward(audio)
    assert len(wrapper.forward([X, X])) == 3  # and goes on as if nothing had been


KNOBS = torch.zeros(2, 100)
PARAMETERS_REFUSED: list[tuple[tuple[Any, ...], str]] = [
    ((KNOBS[:1],), r"numerical parameters of shape \(2 or more, 100\) in 0..1, .* got torch.Size\(\[1, 100\]\)"),
    ((KNOBS[:, :50],), r"one value a sample, or \(2 or more, 1\) for one value each"),
    ((KNOBS[0],), r"numerical parameters of shape"),
    ((None, []), r"Expected 1 texts, for \['prompt'\], got 0. Pass one for each, or None"),
    ((None, ["a", "b"]), r"Expected 1 texts, for \['prompt'\], got 2"),
    ((None, ["sixsix"]), r"'prompt': allowed are up to 5 characters, got 6. Shorten the text"),
    ((None, ["日本語日本語"]), r"'prompt': allowed are up to 5 characters, got 6"),
    ((None, None, []), r"Expected 1 lists of tokens, for \['notes'\], got 0"),
    ((None, None, [[1], [2]]), r"Expected 1 lists of tokens, for \['notes'\], got 2"),
    ((None, None, [[1, 2, 3, 4]]), r"'notes': allowed are up to 3 tokens, got 4. Pass fewer"),
]


@pytest.mark.parametrize(("given", "message"), PARAMETERS_REFUSED, ids=[m[:40] for _, m in PARAMETERS_REFUSED])
def test_parameters_that_are_refused(
    given: tuple[Any, ...], message: str, scripted_kinds: NonRealtimeSampleQueueWrapper
) -> None:
    wrapper = NonRealtimeSampleQueueWrapper(AllKinds())
    with pytest.raises(ParameterError, match=message):
        wrapper.forward([X], *given)
    as_scripted = message.replace("'", "").replace(r"torch.Size\(\[1, 100\]\)", r"\[1, 100\]")
    with pytest.raises(Exception, match=as_scripted.replace("prompt: ", "'prompt': ").replace("notes: ", "'notes': ")):
        scripted_kinds.forward([X], *given)
    assert len(wrapper.forward([X], None, ["日本語日本"], [[1, 2, 3]])) == 5


def test_a_generator_takes_no_audio() -> None:
    wrapper = scripted(Ramp(block_sizes=(1000,)))
    assert wrapper.forward([torch.zeros(2, 0)])[0].size(1) == 1000  # hosts send emptiness for nothing
    with pytest.raises(Exception, match="The model is a generator without audio inputs, got 1. Pass"):
        wrapper.forward([X])


def test_pieces_in_a_wrong_order() -> None:
    wrapper = NonRealtimeSampleQueueWrapper(AllKinds())
    with pytest.raises(AudioError, match=r"Call begin\(\) before push\(\)"):
        wrapper.push([X])
    with pytest.raises(AudioError, match=r"Call begin\(\) and push\(\) before finish\(\)"):
        wrapper.finish()
    wrapper.begin()
    with pytest.raises(AudioError, match=r"no samples. Call push\(\) with audio before finish\(\)"):
        wrapper.finish()
    wrapper.begin()
    wrapper.push([X], KNOBS)
    with pytest.raises(ParameterError, match="given with every piece of a signal, or with none"):
        wrapper.push([X])
    once = NonRealtimeSampleQueueWrapper(WholeDelay(one_shot=True))
    once.begin()
    with pytest.raises(AudioError, match="no samples"):
        once.finish()


OUTPUTS_REFUSED = [
    ("too many", r"must return 1 outputs \['output'\], got 2. Return a list with one tensor for each entry"),
    ("none", r"must return 1 outputs \['output'\], got 0"),
    ("mono", r"float32 of shape \(2, 100\) for 'output', got float32 of shape torch.Size\(\[1, 100\]\)"),
    ("short", r"float32 of shape \(2, 100\) .* got float32 of shape torch.Size\(\[2, 99\]\).*keeps_length = False"),
    ("double", r"float32 of shape \(2, 100\) .* got another type of shape"),
    ("flat", r"float32 of shape \(2, 100\) .* got float32 of shape torch.Size\(\[100\]\)"),
]


@pytest.mark.parametrize("one_shot", [False, True])
@pytest.mark.parametrize(("fault", "message"), OUTPUTS_REFUSED, ids=[fault for fault, _ in OUTPUTS_REFUSED])
def test_outputs_that_are_refused(fault: str, message: str, one_shot: bool) -> None:
    wrapper = NonRealtimeSampleQueueWrapper(Misbehaved(fault, one_shot))
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 512, None, None if one_shot else 100)
    with pytest.raises(ModelError, match=message):
        wrapper.forward([X])


def test_a_model_that_raises_is_ready_for_the_next_signal() -> None:
    wrapper = scripted(Misbehaved("raises"))
    for _ in range(2):
        with pytest.raises(Exception, match="as I was told"):
            wrapper.forward([X])
    model = Misbehaved("raises")
    eager = NonRealtimeSampleQueueWrapper(model)
    with pytest.raises(ValueError, match="as I was told"):
        eager.forward([X])
    model.fault = "poison"
    assert eager.forward([X])[0].shape == X.shape


@pytest.mark.parametrize("one_shot", [False, True])
def test_what_is_not_finite_becomes_silence_and_is_counted(one_shot: bool) -> None:
    wrapper = scripted(Misbehaved("poison", one_shot))
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 512, None, None if one_shot else 500)
    x = noise(2000)
    (clean,) = wrapper.forward([x])
    assert wrapper.nonfinite_samples() == 0
    bad = x.clone()
    bad[0, 700], bad[1, 703] = 100.0, float("inf")
    (y,) = wrapper.forward([bad])
    assert bool(torch.isfinite(y).all())
    # One infinite sample in the left channel; everything from the infinity on in the right, to the end of the block.
    end = 2000 if one_shot else 1000
    assert wrapper.nonfinite_samples() == 1 + end - 703
    assert float(y[0, 700]) == 0.0
    assert float(y[1, 703:end].abs().max()) == 0.0
    assert torch.equal(y[:, :700], clean[:, :700])
    if not one_shot:  # the model started afresh
        assert float(y[:, 1000:].abs().max()) > 0.0
    assert torch.equal(wrapper.forward([x])[0], clean)
    assert wrapper.nonfinite_samples() == 0


def test_a_model_may_have_a_length_of_its_own() -> None:
    class Halving(WholeDelay):
        keeps_length = False

        def do_forward_pass(
            self,
            curr_block_idx: int,
            audio_in: list[Tensor],
            numerical_params: dict[str, Tensor],
            text_params: list[str],
            tokens_params: list[list[int]],
        ) -> list[Tensor]:
            return [audio_in[0][:, : audio_in[0].size(1) // 2].contiguous()]

    x = noise(9001)
    wrapper = NonRealtimeSampleQueueWrapper(Halving(one_shot=True, sample_rates=(48000,)))
    assert torch.equal(wrapper.forward([x])[0], x[:, :4500])
    wrapper.set_daw_sample_rate_and_buffer_size(96000, 512)
    (y,) = wrapper.forward([x])
    assert y.size(1) == 4500  # 4501 samples at 48 kHz, of which the model leaves 2250
    late = NonRealtimeSampleQueueWrapper(Halving(delay=6000, one_shot=True, sample_rates=(48000,)))
    late.forward([x])
    with pytest.raises(ModelError, match="longer than its delay"):
        late.forward([x[:, :100]])


@pytest.mark.parametrize("order", ["live first", "whole first"])
def test_live_and_whole_models_in_one_process(order: str) -> None:
    from support.host_models import KnobRecorder

    def live() -> None:
        wrapper: Any = torch.jit.script(SampleQueueWrapper(KnobRecorder(smoothing_seconds=0.0)))
        assert torch.equal(reloaded(wrapper).forward(X, torch.ones(1, 100)), torch.full((2, 100), 10.0))  # type: ignore[arg-type]

    def whole() -> None:
        outputs = reloaded(scripted(AllKinds())).forward([X], torch.ones(2, 100), ["ab"], [[5]])
        assert [float(y[0, 0]) for y in outputs] == [10.0, 2.0, 2.0, 1.0, 5.0]

    for play in (live, whole) if order == "live first" else (whole, live):
        play()
        play()


def test_a_device_is_where_the_model_finds_its_tensors() -> None:
    class Elsewhere(NonRealtimeBase):
        metadata = AllKinds.metadata
        parameters = AllKinds.parameters[:1]

        def do_forward_pass(
            self,
            curr_block_idx: int,
            audio_in: list[Tensor],
            numerical_params: dict[str, Tensor],
            text_params: list[str],
            tokens_params: list[list[int]],
        ) -> list[Tensor]:
            assert audio_in[0].device.type == "meta"
            assert numerical_params["level"].device.type == "meta"
            return [torch.ones(2, audio_in[0].size(1))]

    wrapper = NonRealtimeSampleQueueWrapper(Elsewhere(torch.nn.Identity()))
    wrapper.set_device("meta")  # a device that every torch has, and that holds no numbers
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 512, None, 100)
    assert torch.equal(wrapper.forward([X])[0], torch.ones(2, 100))
