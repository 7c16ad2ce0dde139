"""What quantising made: the model, what became of each weight, and what it cost and gained."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from neutone_like.optimise.played_cost import CompiledCost
from neutone_like.optimise.quality_report import QualityReport
from neutone_like.optimise.quantising.grid import Precision
from neutone_like.printing import Printed, Row


@dataclass(frozen=True, repr=False)
class QuantisedWeight(Printed):
    """One weight.

    Attributes:
        name: As ``model.named_parameters()`` has it.
        precision: ``"float32"`` where it was left as it is.
        shape: Of the weight.
        bytes_before, bytes_after: As float32, and as numbers with their scales.
        error_alone: Error-to-signal ratio where only this weight is rounded; ``None`` where that was not asked for.
    """

    name: str
    precision: Precision
    shape: tuple[int, ...]
    bytes_before: int
    bytes_after: int
    error_alone: float | None


@dataclass(frozen=True, repr=False)
class QuantisedActivations(Printed):
    """What one layer is given.

    Attributes:
        name: Of the layer, as ``model.named_modules()`` has it.
        precision: ``"int8"``, or ``"float32"`` where it is taken as it is.
        scale: Between two of the 256 numbers; ``None`` in float32.
        zero_point: The whole number from -128 to 127 that stands for 0; ``None`` in float32.
        error_alone: Error-to-signal ratio where only this layer rounds what it is given; ``None`` without a limit.
        clipped_at_full_scale: Share of the numbers beyond the range, 0..1, while the audio plays with its peak at full
            scale; ``None`` in float32.
        reason: Why it is float32.
    """

    name: str
    precision: Literal["int8", "float32"]
    scale: float | None
    zero_point: int | None
    error_alone: float | None
    clipped_at_full_scale: float | None
    reason: str


@dataclass(frozen=True, repr=False)
class QuantiseResult(Printed):
    """A quantised model.

    Attributes:
        model: As the one that was given, to be exported as any other: its weights are float32 numbers that lie on
            grids.
        weights: Each of them.
        other_bytes: Of what is no such weight: biases, norms, small weights, as they were given.
        quality: How far it is from the model that was given, on the calibration audio; ``None``: nothing to play it
            with.
        error_before, error_after: Error-to-signal ratio of both against ``target``; ``None`` without one.
        played_before, played_after: As compiled and played here; ``None`` where it was not measured.
        note: Why something was not measured.
        other_bytes_saved: Of ``other_bytes``, by biases that became half-precision numbers.
        activations: Of each layer whose weights are quantised; empty where activations were not asked for.
    """

    model: Any
    weights: tuple[QuantisedWeight, ...]
    other_bytes: int
    quality: QualityReport | None
    error_before: float | None
    error_after: float | None
    played_before: CompiledCost | None
    played_after: CompiledCost | None
    note: str
    other_bytes_saved: int = 0
    activations: tuple[QuantisedActivations, ...] = ()

    @property
    def bytes_before(self) -> int:
        """Of all weights as float32."""
        return sum(each.bytes_before for each in self.weights) + self.other_bytes

    @property
    def bytes_after(self) -> int:
        """Of all weights as they can be stored."""
        return sum(each.bytes_after for each in self.weights) + self.other_bytes - self.other_bytes_saved

    def to_dict(self) -> dict[str, Any]:
        """As JSON types, without the model."""
        return {
            "bytes_before": self.bytes_before,
            "bytes_after": self.bytes_after,
            "error_before": self.error_before,
            "error_after": self.error_after,
            "quality": None if self.quality is None else self.quality.to_dict(),
            "played_before": None if self.played_before is None else asdict(self.played_before),
            "played_after": None if self.played_after is None else asdict(self.played_after),
            "note": self.note,
            "weights": [asdict(each) for each in self.weights],
            "activations": [asdict(each) for each in self.activations],
        }

    def _title(self) -> str:
        kinds = dict.fromkeys(each.precision for each in self.weights if each.precision != "float32")
        return f"Quantised {type(self.model).__name__}: {', '.join(kinds)}"

    def _rows(self) -> list[Row]:
        ratio = self.bytes_after / self.bytes_before
        rows: list[Row] = [("weights", f"{self.bytes_before} -> {self.bytes_after} bytes, {ratio:.3f} x")]
        if self.quality is not None:
            rows.append(("error-to-signal ratio", f"{self.quality.error_to_signal_ratio:.3g} against what was given"))
        if self.error_before is not None and self.error_after is not None:
            rows.append(("against the target", f"{self.error_before:.4g} -> {self.error_after:.4g}"))
        before, after = self.played_before, self.played_after
        if before is not None and after is not None:
            rows.append(("model.nlc", f"{before.file_bytes} -> {after.file_bytes} bytes"))
            rows.append(
                (f"{after.block_samples} samples", f"{before.block_us:.3g} -> {after.block_us:.3g} us, {after.kernels}")
            )
        return [*rows, *self._activation_rows(), *([("note", self.note)] if self.note else [])]

    def _activation_rows(self) -> list[Row]:
        if not self.activations:
            return []
        rounded = [each for each in self.activations if each.precision == "int8"]
        told = f"int8 in {len(rounded)} of {len(self.activations)} layers, multiplied as float32"
        rows: list[Row] = [("activations", told)]
        rows += [("float32", f"{each.name}: {each.reason}") for each in self.activations if each.reason]
        worst = max(rounded, key=lambda each: each.clipped_at_full_scale or 0.0)
        if worst.clipped_at_full_scale:
            share = f"{100.0 * worst.clipped_at_full_scale:.2g} %"
            rows.append(("at full scale", f"{share} of {worst.name}'s input clips: calibrate with the loudest sound"))
        return rows

    def _html_rows(self) -> list[Row]:
        heads = ("weight", "precision", "shape", "bytes before", "bytes after", "error alone")
        rows = [*self._rows(), heads, *map(_row_of, self.weights)]
        if not self.activations:
            return rows
        more = ("activations of", "precision", "scale", "zero point", "clipped at full scale", "error alone")
        return [*rows, more, *map(_activation_row_of, self.activations)]


def _row_of(weight: QuantisedWeight) -> Row:
    alone = "" if weight.error_alone is None else f"{weight.error_alone:.3g}"
    shape = " x ".join(map(str, weight.shape))
    return weight.name, weight.precision, shape, str(weight.bytes_before), str(weight.bytes_after), alone


def _activation_row_of(layer: QuantisedActivations) -> Row:
    numbers = (layer.scale, layer.zero_point, layer.clipped_at_full_scale, layer.error_alone)
    return layer.name, layer.precision, *("" if each is None else f"{each:.3g}" for each in numbers)
