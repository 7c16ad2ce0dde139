"""The Neutone SDK's public names (version 1.5.2) for models: wrappers written for it export here.

Change ``from neutone_sdk import ...`` to ``from neutone_like.compat.neutone_sdk import ...``, and likewise for
``neutone_sdk.utils``, ``audio``, ``filters``, ``realtime_stft``, ``cached_mel_spec``, ``conv``, ``tcn_1d`` and
``queues``. Parameters keep the meaning that the Neutone SDK gave them.
"""

from typing import Any

from neutone_like.compat.neutone_sdk import audio as audio
from neutone_like.compat.neutone_sdk import constants as constants
from neutone_like.compat.neutone_sdk import utils as utils
from neutone_like.compat.neutone_sdk.core import NeutoneModel as NeutoneModel
from neutone_like.compat.neutone_sdk.non_realtime_sqw import (
    NonRealtimeSampleQueueWrapper as NonRealtimeSampleQueueWrapper,
)
from neutone_like.compat.neutone_sdk.non_realtime_wrapper import NonRealtimeBase as NonRealtimeBase
from neutone_like.compat.neutone_sdk.non_realtime_wrapper import NonRealtimeTokenizerBase as NonRealtimeTokenizerBase
from neutone_like.compat.neutone_sdk.non_realtime_wrapper import TokenizerType as TokenizerType
from neutone_like.compat.neutone_sdk.not_offered import refuse, register_modules
from neutone_like.compat.neutone_sdk.parameter import CategoricalNeutoneParameter as CategoricalNeutoneParameter
from neutone_like.compat.neutone_sdk.parameter import ContinuousNeutoneParameter as ContinuousNeutoneParameter
from neutone_like.compat.neutone_sdk.parameter import DiscreteTokensNeutoneParameter as DiscreteTokensNeutoneParameter
from neutone_like.compat.neutone_sdk.parameter import NeutoneParameter as NeutoneParameter
from neutone_like.compat.neutone_sdk.parameter import NeutoneParameterType as NeutoneParameterType
from neutone_like.compat.neutone_sdk.parameter import TextNeutoneParameter as TextNeutoneParameter
from neutone_like.compat.neutone_sdk.queues import CircularInplaceTensorQueue as CircularInplaceTensorQueue
from neutone_like.compat.neutone_sdk.sqw import SampleQueueWrapper as SampleQueueWrapper
from neutone_like.compat.neutone_sdk.wavform_to_wavform import WaveformToWaveformBase as WaveformToWaveformBase

register_modules(__name__)


def __getattr__(name: str) -> Any:
    return refuse(__name__, name)
