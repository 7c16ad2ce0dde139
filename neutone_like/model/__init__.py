"""What a user subclasses: base classes, parameters, metadata."""

from typing import TYPE_CHECKING

from neutone_like.lazy import export_lazily

if TYPE_CHECKING:
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

export_lazily(
    globals(),
    {
        "neutone_like.model.declaration": ("Declaration",),
        "neutone_like.model.live": ("WaveformToWaveformBase",),
        "neutone_like.model.metadata": ("ModelMetadata",),
        "neutone_like.model.offline": ("NonRealtimeBase",),
        "neutone_like.model.offline_declaration": ("OfflineDeclaration",),
        "neutone_like.model.offline_tokenizer": ("NonRealtimeTokenizerBase",),
        "neutone_like.model.parameters": (
            "CategoricalParameter",
            "ContinuousParameter",
            "NumericalParameter",
            "Parameter",
            "TextParameter",
            "TokensParameter",
        ),
    },
)
