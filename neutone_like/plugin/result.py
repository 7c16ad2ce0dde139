"""What :func:`neutone_like.plugin.build_plugin` made."""

from dataclasses import dataclass
from pathlib import Path

from neutone_like.plugin.identity import PluginIdentity
from neutone_like.plugin.load import PluginLoad
from neutone_like.plugin.tail import PluginTail
from neutone_like.printing import Printed, Row


@dataclass(frozen=True)
class PluginFile:
    """A plugin in one format.

    Attributes:
        format: ``"clap"``, ``"vst3"`` or ``"lv2"``.
        path: What is put into the host's folder: a file (CLAP) or a folder.
        size_bytes: Of all of it.
        target: The platform; empty: this machine's.
    """

    format: str
    path: Path
    size_bytes: int
    target: str = ""


@dataclass(frozen=True, repr=False)
class PluginResult(Printed):
    """A model's plugins.

    Attributes:
        identity: Who they are.
        files: One for each format.
        model_bytes: What the model takes in each of them.
        load: What a block takes.
        worker: Whether the model has a thread of its own, and 20 ms more of latency; else it plays in the host's.
        tail: How long it is heard after its input has ended, as far as was found; ``None``: hosts are told that it
            has no end.
    """

    identity: PluginIdentity
    files: tuple[PluginFile, ...]
    model_bytes: int
    load: PluginLoad
    worker: bool
    tail: PluginTail | None = None

    def _title(self) -> str:
        return f"PluginResult: {self.identity.name} {self.identity.version}"

    def _rows(self) -> list[Row]:
        return [
            *(_row(each) for each in self.files),
            ("load", str(self.load)),
            ("plays", "on a thread of its own, 20 ms later" if self.worker else "in the host's callback"),
            ("tail", "endless" if self.tail is None else str(self.tail)),
            ("identity", self.identity.clap_id, f"by {self.identity.vendor}"),
        ]


@dataclass(frozen=True, repr=False)
class PlayerResult(Printed):
    """The player, which plays the artifacts that its user chooses.

    Attributes:
        identity: Who it is.
        files: One for each format.
        artifact: What it begins with; ``None``: nothing.
    """

    identity: PluginIdentity
    files: tuple[PluginFile, ...]
    artifact: Path | None

    def _title(self) -> str:
        return f"PlayerResult: {self.identity.name} {self.identity.version}"

    def _rows(self) -> list[Row]:
        return [
            *(_row(each) for each in self.files),
            ("begins with", "nothing: sound passes through" if self.artifact is None else str(self.artifact)),
            ("identity", self.identity.clap_id, f"by {self.identity.vendor}"),
        ]


def _row(file: PluginFile) -> Row:
    return f"{file.format} {file.target}".strip(), str(file.path), f"{file.size_bytes / 1e6:.2f} MB"
