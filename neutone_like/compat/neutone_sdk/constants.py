"""The Neutone SDK's constants that wrappers use."""

SDK_VERSION = "1.5.2"
"""The version of the interface that this package offers."""
MAX_N_PARAMS = 4
MAX_N_CATEGORICAL_VALUES = 20
MAX_N_CATEGORICAL_LABEL_CHARS = 20
MAX_N_AUDIO_SAMPLES = 3
DEFAULT_DAW_SR = 48000
DEFAULT_DAW_BS = 2048
