"""Recurrent layers whose hidden state goes on from block to block."""

from typing import Any

import torch
from torch import Tensor, nn

from neutone_like.checked_arguments import checked_arguments
from neutone_like.errors import ModelError
from neutone_like.streaming.block_lengths import require_channels
from neutone_like.streaming.layer import StreamingLayer

MOST_LAYERS = 1000
"""They are made one by one: a wrong number would take all time and memory."""


class RNN(nn.RNN, StreamingLayer):
    """A torch ``nn.RNN`` over a stream: ``[batch, input_size, samples]`` to ``[batch, hidden_size, samples]``.

    Weights have the names of ``nn.RNN``; ``dropout`` between layers acts in training only; ``bias=None`` is ``False``.

    Raises:
        ModelError: ``bidirectional`` is set: a backward direction begins at the end of the stream; there are more than
            1000 layers.
    """

    hidden: Tensor
    initial_hidden: Tensor

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool | None = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        _refuse_bidirectional("RNN", bidirectional)
        _require_layers("RNN", num_layers)
        super().__init__(
            input_size, hidden_size, num_layers, nonlinearity, bool(bias), batch_first=True, dropout=dropout
        )
        _declare(self, "Elman, Finding Structure in Time, 1990")
        self.register_state("hidden", torch.zeros(num_layers, 1, hidden_size))

    @staticmethod
    @checked_arguments(ModelError, wraps_errors=True)
    def from_torch(layer: nn.RNN) -> "RNN":
        """The streaming layer with a copy of the weights of an ordinary one."""
        size, nonlinearity = (layer.input_size, layer.hidden_size, layer.num_layers), layer.nonlinearity
        streaming = RNN(*size, nonlinearity, layer.bias, layer.dropout, bidirectional=layer.bidirectional)
        _take_weights(streaming, layer)
        return streaming

    def forward(self, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        require_channels("RNN", x, self.input_size)
        hidden = self.hidden.expand(-1, x.size(0), -1).contiguous()
        sequence = x.transpose(1, 2)
        weights: list[Tensor] = self._flat_weights  # pyright: ignore[reportAssignmentType]
        # Batch comes first, one direction, and dropout only in training.
        if self.mode == "RNN_TANH":
            y, self.hidden = torch.rnn_tanh(
                sequence, hidden, weights, self.bias, self.num_layers, self.dropout, self.training, False, True
            )
        else:
            y, self.hidden = torch.rnn_relu(
                sequence, hidden, weights, self.bias, self.num_layers, self.dropout, self.training, False, True
            )
        return y.transpose(1, 2)

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.hidden = self.initial_hidden.clone()


class GRU(nn.GRU, StreamingLayer):
    """A torch ``nn.GRU`` over a stream: ``[batch, input_size, samples]`` to ``[batch, hidden_size, samples]``.

    Weights have the names of ``nn.GRU``; ``dropout`` between layers acts in training only; ``bias=None`` is ``False``.

    Raises:
        ModelError: ``bidirectional`` is set: a backward direction begins at the end of the stream; there are more than
            1000 layers.
    """

    hidden: Tensor
    initial_hidden: Tensor

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool | None = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        _refuse_bidirectional("GRU", bidirectional)
        _require_layers("GRU", num_layers)
        super().__init__(input_size, hidden_size, num_layers, bool(bias), batch_first=True, dropout=dropout)
        _declare(self, "Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, 2014, as in torch")
        self.register_state("hidden", torch.zeros(num_layers, 1, hidden_size))

    @staticmethod
    @checked_arguments(ModelError, wraps_errors=True)
    def from_torch(layer: nn.GRU) -> "GRU":
        """The streaming layer with a copy of the weights of an ordinary one."""
        size = (layer.input_size, layer.hidden_size, layer.num_layers)
        streaming = GRU(*size, layer.bias, layer.dropout, bidirectional=layer.bidirectional)
        _take_weights(streaming, layer)
        return streaming

    def forward(self, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        require_channels("GRU", x, self.input_size)
        hidden = self.hidden.expand(-1, x.size(0), -1).contiguous()
        sequence = x.transpose(1, 2)
        weights: list[Tensor] = self._flat_weights  # pyright: ignore[reportAssignmentType]
        y, self.hidden = torch.gru(
            sequence, hidden, weights, self.bias, self.num_layers, self.dropout, self.training, False, True
        )
        return y.transpose(1, 2)

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.hidden = self.initial_hidden.clone()


class LSTM(nn.LSTM, StreamingLayer):
    """A torch ``nn.LSTM`` over a stream: ``[batch, input_size, samples]`` to ``[batch, hidden_size, samples]``.

    With ``proj_size`` above zero the output has that many channels instead. Weights have the names of ``nn.LSTM``;
    ``dropout`` between layers acts in training only; ``bias=None`` is ``False``.

    Raises:
        ModelError: ``bidirectional`` is set: a backward direction begins at the end of the stream; there are more than
            1000 layers.
    """

    hidden: Tensor
    initial_hidden: Tensor
    cell: Tensor
    initial_cell: Tensor

    @checked_arguments(ModelError, wraps_errors=True)
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool | None = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
    ) -> None:
        _refuse_bidirectional("LSTM", bidirectional)
        _require_layers("LSTM", num_layers)
        super().__init__(
            input_size, hidden_size, num_layers, bool(bias), batch_first=True, dropout=dropout, proj_size=proj_size
        )
        _declare(self, "Hochreiter and Schmidhuber, Long Short-Term Memory, 1997; projections: Sak et al., 2014")
        self.register_state("hidden", torch.zeros(num_layers, 1, proj_size if proj_size > 0 else hidden_size))
        self.register_state("cell", torch.zeros(num_layers, 1, hidden_size))

    @staticmethod
    @checked_arguments(ModelError, wraps_errors=True)
    def from_torch(layer: nn.LSTM) -> "LSTM":
        """The streaming layer with a copy of the weights of an ordinary one."""
        size = (layer.input_size, layer.hidden_size, layer.num_layers)
        streaming = LSTM(*size, layer.bias, layer.dropout, layer.bidirectional, layer.proj_size)
        _take_weights(streaming, layer)
        return streaming

    def forward(self, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        require_channels("LSTM", x, self.input_size)
        batch = x.size(0)
        states = [self.hidden.expand(-1, batch, -1).contiguous(), self.cell.expand(-1, batch, -1).contiguous()]
        sequence = x.transpose(1, 2)
        weights: list[Tensor] = self._flat_weights  # pyright: ignore[reportAssignmentType]
        y, self.hidden, self.cell = torch.lstm(
            sequence, states, weights, self.bias, self.num_layers, self.dropout, self.training, False, True
        )
        return y.transpose(1, 2)

    @torch.jit.export
    def reset_streaming_state(self) -> None:
        self.hidden = self.initial_hidden.clone()
        self.cell = self.initial_cell.clone()


def _require_layers(name: str, num_layers: int) -> None:
    if num_layers > MOST_LAYERS:
        raise ModelError(f"{name}: num_layers must be at most {MOST_LAYERS}, got {num_layers}")


def _refuse_bidirectional(name: str, bidirectional: bool) -> None:
    if bidirectional:
        raise ModelError(
            f"{name}: bidirectional=True needs the end of the stream before its first output; a stream has one "
            f"direction. Use bidirectional=False (and train again), or a causal Attention with a window; a model that "
            f"must stay bidirectional is an offline model"
        )


def _declare(layer: StreamingLayer, source: str) -> None:
    layer.receptive_field_samples = None
    layer.source = source


def _take_weights(streaming: nn.RNNBase, layer: nn.RNNBase) -> None:
    weight: Any = layer.weight_ih_l0
    streaming.to(weight)
    streaming.load_state_dict(layer.state_dict())
    streaming.train(layer.training)
