"""Every exception this package raises on purpose, under one base."""


class NeutoneLikeError(Exception):
    """Base of all errors raised here. A message says what was expected, what came, and what to do."""


class ModelError(NeutoneLikeError):
    """A model declares or does something that the contract does not allow."""


class ExportError(NeutoneLikeError):
    """A model could not be turned into an artifact."""


class ArtifactError(NeutoneLikeError):
    """A file is not a usable artifact."""


class CaptureError(NeutoneLikeError):
    """A network can't be written down as a graph of tensor operations without losing something."""


class CompileError(NeutoneLikeError):
    """A network can't be compiled, or a compiled model is not usable."""


class ModelFileError(NeutoneLikeError):
    """A model file of another project is damaged, or holds what is not known here."""


class ParameterError(NeutoneLikeError):
    """A parameter is declared wrongly, unknown, or has a value out of its range."""


class AudioError(NeutoneLikeError):
    """Audio has the wrong shape, type, rate or content, or can't be read or written."""


class RenderError(NeutoneLikeError):
    """A job of many files can't be planned, started or recorded."""


class RuntimeEngineError(NeutoneLikeError):
    """The real-time engine was used in a way it can't serve."""


class TrainingError(NeutoneLikeError):
    """Training can't begin or go on; what was learned so far is in its checkpoint."""


class BenchError(NeutoneLikeError):
    """A benchmark can't be run, or its results can't be read or gone on with."""


class MissingExtraError(NeutoneLikeError, ImportError):
    """An optional dependency is absent; the message holds the line that installs it."""
