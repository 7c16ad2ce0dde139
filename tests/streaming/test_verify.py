"""The proof passes what streams, and each of its checks trips on a layer that is broken in its own way."""

from typing import Any

import pytest
from torch import Tensor, nn

from neutone_like.errors import ModelError
from neutone_like.streaming import Conv1d, ConvTranspose1d, Sequential, StreamingReport, verify_streaming


class Forgetful(Conv1d):
    def forward(self, x: Tensor) -> Tensor:
        self.past = self.initial_past
        return super().forward(x)


class Seeing(Conv1d):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + x.mean(2, keepdim=True)


class Remembering(Conv1d):
    def reset_streaming_state(self) -> None:
        pass


class Mixing(Conv1d):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + x.mean(0, keepdim=True)


class Detaching(Conv1d):
    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        self.past = self.past.detach()
        return y


class Exploding(Conv1d):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) / (x.abs().amax() > 0)


def verify(network: nn.Module, **options: Any) -> StreamingReport:
    return verify_streaming(network, chunkings=12, **options)


def test_what_streams_passes() -> None:
    ordinary: Any = nn.Sequential(nn.Conv1d(1, 2, 4, 2, 1), nn.Tanh(), nn.ConvTranspose1d(2, 1, 4, 2, 1)).double()
    network = Sequential(Conv1d.from_torch(ordinary[0]), nn.Tanh(), ConvTranspose1d.from_torch(ordinary[2]))
    report = verify(network, reference=ordinary)
    assert report.passed, report
    assert len(report.checks) == 9
    assert not any(check.skipped for check in report.checks)
    report.raise_if_failed()


@pytest.mark.parametrize(
    ("broken", "name"),
    [
        (Forgetful, "any blocks equal the whole"),
        (Seeing, "the future changes nothing"),
        (Remembering, "a reset repeats"),
        (Mixing, "a batch is independent"),
        (Detaching, "gradients as of the whole"),
        (Exploding, "finite"),
    ],
)
def test_each_check_trips_and_names_the_layer(broken: type[Conv1d], name: str) -> None:
    network = Sequential(Conv1d(1, 2, 3), nn.Tanh(), Sequential(nn.Identity(), broken(2, 2, 3)))
    if broken is Exploding:
        network = Sequential(broken(1, 1, 3))
    report = verify(network)
    failed = {check.name: check for check in report.checks if not check.passed}
    assert name in failed, report
    if broken not in (Remembering, Exploding):
        assert "2.1 " in failed[name].layer, report
    with pytest.raises(ModelError, match=name):
        report.raise_if_failed()


def test_wrong_declarations_are_found() -> None:
    ordinary = nn.Conv1d(1, 1, 5, padding=2).double()
    layer = Conv1d.from_torch(ordinary)
    layer.delay_samples, layer.receptive_field_samples = 1, 7
    failed = {check.name: check for check in verify(layer, reference=ordinary).checks if not check.passed}
    assert failed.keys() == {"equals the reference", "delay, samples", "receptive field, samples"}
    assert (failed["delay, samples"].measured, failed["receptive field, samples"].measured) == (2, 5)
