"""Blocks of every size: nothing lost, nothing doubled, the same output however the stream is cut up."""

import random
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neutone_like import AudioError, ModelError, SampleQueueWrapper
from support.host_models import DelayModel, Recorder, Smear, inside, noise, play, play_regularly, scripted

SETTINGS = [
    (rates, sizes) for rates in ((), (44100,), (16000,), (96000,)) for sizes in ((), (128,), (480,), (512, 128))
]


@cache
def scripted_delay(delay: int, rates: tuple[int, ...], sizes: tuple[int, ...]) -> SampleQueueWrapper:
    """For tests that prepare it before they play: scripting takes longer than they do."""
    return scripted(DelayModel(delay, rates, sizes))


def random_blocks(longest: int, seed: int) -> list[int]:
    generator = random.Random(seed)
    return [generator.randint(1, longest) for _ in range(100_000 // longest)]


@pytest.mark.parametrize(("rates", "sizes"), SETTINGS)
def test_any_chunking_is_the_whole(rates: tuple[int, ...], sizes: tuple[int, ...]) -> None:
    wrapper = scripted_delay(37, rates, sizes)
    x = noise(6000)
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 4096)
    whole = wrapper.forward_offline(x)
    for host_block, blocks in (
        (64, [64] * 1000),
        (64, [6400] * 10),
        (100, [100] * 1000),
        (512, [512, 1024, 2048, 512] * 100),
        (1, [1] * 20000),
        (1, random_blocks(300, 1)),
        (64, random_blocks(1500, 2)),
        (2048, random_blocks(70, 3)),
    ):
        wrapper.set_daw_sample_rate_and_buffer_size(48000, host_block)
        settles = wrapper.forward(torch.zeros(2, blocks[0]))  # a host that breaks its promise does so at once
        assert settles.size(1) == blocks[0]
        irregular = blocks[0] % host_block != 0
        assert (wrapper.inserted_silence_samples() > 0) <= irregular
        wrapper.reset()
        total = 6000 + wrapper.latency_samples() + (4096 if irregular else 0)  # a broken promise adds to the latency
        total = -(-total // host_block) * host_block
        padded = torch.nn.functional.pad(x, (0, total - 6000))
        if irregular:
            y = play(wrapper, padded, blocks)
        else:
            y = play(wrapper, padded, [block for block in blocks if block % host_block == 0])
        latency = wrapper.latency_samples()
        aligned = y[:, latency : latency + 6000]
        torch.testing.assert_close(aligned, whole, atol=1e-6, rtol=0, msg=f"{host_block=}")


@settings(max_examples=60, deadline=None)
@given(
    host=st.integers(1, 200),
    model=st.integers(1, 200),
    blocks=st.lists(st.integers(1, 300), min_size=1, max_size=40),
    rate=st.sampled_from([48000, 44100, 32000, 96000]),
)
def test_every_sample_arrives_exactly_once(host: int, model: int, blocks: list[int], rate: int) -> None:
    """The model hears the resampled input once, in blocks of its own size, whatever the host sends."""
    recorder = Recorder((rate,), (model,))
    wrapper = SampleQueueWrapper(recorder)
    wrapper.set_daw_sample_rate_and_buffer_size(48000, host)
    x = noise(sum(blocks))
    y = play(wrapper, x, blocks)
    assert y.shape == x.shape
    assert all(block.size(1) == model for block in recorder.heard)
    heard = torch.cat([*recorder.heard, torch.zeros(2, 0)], 1)
    if rate == 48000:
        torch.testing.assert_close(heard, x[:, : heard.size(1)], atol=0, rtol=0)
        latency = wrapper.latency_samples()
        silence = wrapper.inserted_silence_samples()
        if silence == 0 and latency < y.size(1):
            torch.testing.assert_close(y[:, latency:], x[:, : y.size(1) - latency], atol=0, rtol=0)


def test_a_broken_promise_in_mid_stream_costs_silence_once_and_nothing_after() -> None:
    for rates in ((), (44100,)):
        wrapper = scripted(DelayModel(0, rates, (512,)))
        wrapper.set_daw_sample_rate_and_buffer_size(48000, 64)
        x = noise(20 * 512)
        promised = wrapper.latency_samples()
        before = play_regularly(wrapper, x[:, :2048], 64)
        assert wrapper.inserted_silence_samples() == 0
        after = play(wrapper, x[:, 2048:], random_blocks(200, 7))
        grown = wrapper.latency_samples()
        silence = wrapper.inserted_silence_samples()
        assert grown - promised == silence
        if not rates:  # with 160 / 147 between the rates, 64 waits as long as blocks of any size do
            assert (promised, grown) == (448, 511)
        assert wrapper.calc_buffering_delay_samples() + wrapper.calc_model_delay_samples() == grown
        # What the host had got is what it would have got; then silence, once; then the rest, whole and in order.
        reference = SampleQueueWrapper(DelayModel(0, rates, (512,)))
        reference.set_daw_sample_rate_and_buffer_size(48000, 64)
        expected = play_regularly(reference, x, 64)
        torch.testing.assert_close(before, expected[:, :2048], atol=1e-6, rtol=0)
        torch.testing.assert_close(after[:, :silence], torch.zeros(2, silence), atol=0, rtol=0)
        rest = after[:, silence:]
        torch.testing.assert_close(rest, expected[:, 2048 : 2048 + rest.size(1)], atol=1e-6, rtol=0)
        # A reset gives the host a second chance.
        wrapper.reset()
        assert wrapper.latency_samples() == promised
        assert wrapper.inserted_silence_samples() == 0


def test_multiples_of_the_promised_block_keep_the_promise() -> None:
    wrapper = SampleQueueWrapper(DelayModel(0, (), (512,)))
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 64)
    play(wrapper, noise(64 * 40), [64, 640, 128, 1024])
    assert wrapper.inserted_silence_samples() == 0


def test_a_model_of_any_block_size_never_gets_more_than_it_was_prepared_for() -> None:
    recorder = Recorder()
    wrapper = SampleQueueWrapper(recorder)
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 128)
    assert wrapper.current_model_block_size() == 128
    wrapper.forward(noise(1000))
    assert [block.size(1) for block in recorder.heard] == [128] * 7 + [104]


def test_the_block_size_that_waits_least_is_chosen() -> None:
    wrapper = SampleQueueWrapper(DelayModel(0, (), (64, 128, 480, 512)))
    for host, expected in ((512, 512), (480, 480), (256, 128), (960, 480), (32, 64)):
        wrapper.set_daw_sample_rate_and_buffer_size(48000, host)
        assert wrapper.current_model_block_size() == expected
        assert wrapper.calc_buffering_delay_samples() == (32 if host == 32 else 0)


def test_look_behind_is_the_true_past() -> None:
    x = noise(4000)
    expected = torch.nn.functional.pad(x, (50, 0)).unfold(1, 51, 1).sum(2)
    for sizes in ((), (128,), (30,)):
        wrapper = scripted(Smear(50, (), sizes))
        for block in (1, 64, 500):
            wrapper.set_daw_sample_rate_and_buffer_size(48000, block)
            torch.testing.assert_close(wrapper.forward_offline(x), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("rates", [(), (44100,)])
@pytest.mark.parametrize("sizes", [(), (128,), (512,), (480,)])
@pytest.mark.parametrize("host", [32, 128, 471, 512, 2048])
def test_a_background_thread_gets_whole_blocks_at_the_reported_latency(
    rates: tuple[int, ...], sizes: tuple[int, ...], host: int
) -> None:
    wrapper = scripted_delay(20, rates, sizes)
    most = wrapper.set_daw_sample_rate_and_buffer_size(48000, host)
    x = noise(host * (12000 // host + 2))
    expected = play_regularly(wrapper, x, host)
    wrapper.reset()
    heard: list[torch.Tensor] = []
    waiting = torch.zeros(2, 0)
    playing = False
    for block in x.split(host, 1):
        result = wrapper.forward_bt(block)
        if result is not None:
            assert result.size(1) % host == 0
            assert 0 < result.size(1) <= most
            waiting = torch.cat((waiting, result), 1)
            playing = True
        if playing:
            assert waiting.size(1) >= host, "the host's queue ran dry"
            heard.append(waiting[:, :host])
            waiting = waiting[:, host:]
        else:
            heard.append(torch.zeros(2, host))
    torch.testing.assert_close(torch.cat(heard, 1), expected, atol=1e-6, rtol=0)


def test_a_background_thread_waits_for_a_long_block_and_gets_it_at_once() -> None:
    wrapper = SampleQueueWrapper(DelayModel(0, (), (512,)))
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 128)
    results = [wrapper.forward_bt(block) for block in noise(1024).split(128, 1)]
    assert [None if result is None else result.size(1) for result in results] == [None, None, None, 512] * 2


@pytest.mark.parametrize("rates", [(), (44100,), (96000,)])
@pytest.mark.parametrize("sizes", [(), (480,)])
@pytest.mark.parametrize("samples", [1, 63, 5000, 20000])
def test_offline_puts_an_impulse_where_it_was(rates: tuple[int, ...], sizes: tuple[int, ...], samples: int) -> None:
    wrapper = scripted_delay(37, rates, sizes)
    for host in (64, 1000):
        wrapper.set_daw_sample_rate_and_buffer_size(48000, host)
        for position in {0, samples // 2, samples - 1}:
            x = torch.zeros(2, samples)
            x[:, position] = 1.0
            y = wrapper.forward_offline(x)
            assert y.shape == x.shape
            assert int(y[0].abs().argmax()) == position
            assert float(y[0, position]) == pytest.approx(1.0 if rates != (44100,) else 0.9, abs=0.1)


def test_reset_repeats_bit_for_bit_and_instances_are_independent() -> None:
    for rates in ((), (44100,)):
        first = scripted(DelayModel(37, rates, (480,)))
        second = scripted(DelayModel(37, rates, (480,)))
        for wrapper in (first, second):
            wrapper.set_daw_sample_rate_and_buffer_size(48000, 64)
        x = noise(6400)
        once = play_regularly(first, x, 64)
        first.reset()
        second.reset()
        again: list[torch.Tensor] = []
        for block in x.split(64, 1):
            again.append(first.forward(block))
            second.forward(torch.ones(2, 64))
        assert torch.equal(torch.cat(again, 1), once)


def test_the_hosts_buffers_are_left_alone() -> None:
    class Careless(DelayModel):
        def do_forward_pass(self, x: torch.Tensor, params: dict[str, torch.Tensor]) -> torch.Tensor:
            return x.mul_(0.5)

    for sizes in ((), (64,), (480,)):
        wrapper = SampleQueueWrapper(Careless(0, (), sizes))
        wrapper.set_daw_sample_rate_and_buffer_size(48000, 64)
        x = noise(64)
        kept = x.clone()
        y = wrapper.forward(x)
        assert torch.equal(x, kept)
        result = y.clone()
        x.fill_(9.0)
        assert torch.equal(y, result)


@pytest.mark.parametrize("wrong", ["short", "flat", "double", "channels"])
def test_a_model_that_returns_something_else_is_told_so(wrong: str) -> None:
    class Wrong(DelayModel):
        def do_forward_pass(self, x: torch.Tensor, params: dict[str, torch.Tensor]) -> torch.Tensor:
            return {"short": x[:, :-1], "flat": x[0], "double": x.double(), "channels": x[:1]}[wrong]

    wrapper = SampleQueueWrapper(Wrong())
    with pytest.raises(ModelError, match=r"must return float32 of shape \(2, 512\)"):
        wrapper.forward(noise(512))


class Reuser(DelayModel):
    """Writes every output into the same tensor, and looks at it again."""

    def __init__(self, block_sizes: tuple[int, ...] = ()) -> None:
        super().__init__(0, (), block_sizes)
        self.out = torch.zeros(2, 4096)

    def do_forward_pass(self, x: torch.Tensor, params: dict[str, torch.Tensor]) -> torch.Tensor:
        out = self.out[:, : x.size(1)]
        out.copy_(x)
        return out


@pytest.mark.parametrize("sizes", [(), (64,), (512,)])
def test_a_model_may_reuse_its_output_and_a_host_may_write_into_it(sizes: tuple[int, ...]) -> None:
    wrapper = SampleQueueWrapper(Reuser(sizes))
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 128)
    x = noise(128 * 20)
    outputs = [wrapper.forward(block) for block in x.split(128, 1)]
    latency = wrapper.latency_samples()
    torch.testing.assert_close(torch.cat(outputs, 1)[:, latency:], x[:, : x.size(1) - latency])
    kept = inside(wrapper).out.clone()
    outputs[-1].fill_(9.0)
    assert torch.equal(inside(wrapper).out, kept)


def test_queues_hold_what_waits_and_no_more() -> None:
    for rates, sizes, host, pieces in (
        ((), (512,), 64, [63] + [64] * 3000),
        ((), (), 64, [64] * 3000),
        ((44100,), (2048,), 441, [441] * 500),
    ):
        wrapper = SampleQueueWrapper(DelayModel(37, rates, sizes))
        wrapper.set_daw_sample_rate_and_buffer_size(48000, host)
        wrapper.set_mix(0.5, 0.5)
        for piece in pieces:
            wrapper.forward(torch.zeros(2, piece))
        for queue in (wrapper.mix.dry_queue, wrapper.back.queue, wrapper.front.queue):
            held = sum(block.size(1) for block in queue.blocks)
            assert held <= wrapper.latency_samples() + 3 * 2048, (rates, sizes, held)


@pytest.mark.parametrize("rates", [(), (44100,)])
def test_dry_and_wet_stay_together_when_a_promise_is_broken(rates: tuple[int, ...]) -> None:
    wrapper = SampleQueueWrapper(DelayModel(0, rates, (512,)))
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 64)
    x = torch.sin(torch.arange(64 * 100) * 0.05).repeat(2, 1)
    blocks = [64] * 40 + [63] + [64] * 200
    heard: list[torch.Tensor] = []
    for wet, dry in ((1.0, 0.0), (0.0, 1.0)):
        wrapper.set_mix(wet, dry)
        wrapper.reset()
        heard.append(play(wrapper, x, blocks))
    torch.testing.assert_close(heard[0][:, 1500:], heard[1][:, 1500:], atol=2e-3, rtol=0)


def test_a_promise_of_one_lets_a_model_of_any_size_have_whole_blocks() -> None:
    recorder = Recorder()
    wrapper = SampleQueueWrapper(recorder)
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 1)
    wrapper.forward(noise(700))
    assert [block.size(1) for block in recorder.heard] == [512, 188]


def test_the_model_gets_contiguous_audio_whatever_the_host_sends() -> None:
    recorder = Recorder()
    wrapper = SampleQueueWrapper(recorder)
    wrapper.forward(noise(512).t().contiguous().t())
    assert recorder.heard[0].is_contiguous()


def test_what_is_refused_changes_nothing() -> None:
    wrapper = SampleQueueWrapper(DelayModel(0, (), (512, 128)))
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 512)
    x = noise(512 * 4)
    expected = play_regularly(wrapper, x, 512)
    wrapper.reset()
    first = wrapper.forward(x[:, :512])
    with pytest.raises(AudioError, match="block sizes"):
        wrapper.set_daw_sample_rate_and_buffer_size(48000, 64, None, 100)
    with pytest.raises(AudioError, match="too large"):
        wrapper.set_daw_sample_rate_and_buffer_size(192000, 64, 191999)
    with pytest.raises(AudioError, match="with 2 channels, got 3"):
        wrapper.forward(torch.zeros(3, 63))
    assert wrapper.inserted_silence_samples() == 0
    torch.testing.assert_close(torch.cat((first, play_regularly(wrapper, x[:, 512:], 512)), 1), expected)


def test_forward_after_forward_bt_says_what_to_do() -> None:
    wrapper = SampleQueueWrapper(DelayModel(0, (), (512,)))
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 128)
    wrapper.forward_bt(noise(128))
    with pytest.raises(AudioError, match=r"Call reset\(\) before forward"):
        wrapper.forward(noise(128))


def test_a_background_thread_may_send_several_blocks_at_once() -> None:
    wrapper = SampleQueueWrapper(DelayModel(0, (), (512,)))
    wrapper.set_daw_sample_rate_and_buffer_size(48000, 64)
    results = [wrapper.forward_bt(block) for block in noise(2048).split(512, 1)]
    assert [None if result is None else result.size(1) for result in results] == [512] * 4
