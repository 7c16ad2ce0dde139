"""What a user subclasses: base classes, parameters, metadata."""

from neutone_like.model.declaration import Declaration as Declaration
from neutone_like.model.live import WaveformToWaveformBase as WaveformToWaveformBase
from neutone_like.model.metadata import ModelMetadata as ModelMetadata
from neutone_like.model.offline import NonRealtimeBase as NonRealtimeBase
from neutone_like.model.offline_declaration import OfflineDeclaration as OfflineDeclaration
from neutone_like.model.offline_tokenizer import NonRealtimeTokenizerBase as NonRealtimeTokenizerBase
from neutone_like.model.parameters import CategoricalParameter as CategoricalParameter
from neutone_like.model.parameters import ContinuousParameter as ContinuousParameter
from neutone_like.model.parameters import NumericalParameter as NumericalParameter
from neutone_like.model.parameters import Parameter as Parameter
from neutone_like.model.parameters import TextParameter as TextParameter
from neutone_like.model.parameters import TokensParameter as TokensParameter
