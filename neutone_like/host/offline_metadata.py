"""The metadata that every host of an offline ``.nm`` reads, built from what a model declares."""

from typing import Any

from neutone_like.host.contract_metadata import (
    author_metadata,
    hosts_key,
    mix_metadata,
    native_metadata,
    numerical_slots,
    parameter_records,
)
from neutone_like.model import OfflineDeclaration
from neutone_like.model.format_room import MOST_TEXTS, MOST_TOKENS


def offline_contract_metadata(declaration: OfflineDeclaration) -> dict[str, Any]:
    """Every required key of an offline ``metadata.json``, no sample sounds; our own are under ``neutone_like``.

    Texts and tokens are numbered after the four knobs, ``p5`` and on: other hosts take none but knobs before.
    """
    return {
        **author_metadata(declaration.metadata),
        "neutone_parameters": {**numerical_slots(declaration.numerical_parameters), **text_slots(declaration)},
        **mix_metadata(declaration.metadata),
        **native_metadata(declaration.sample_rates, declaration.block_sizes),
        "audio_in_channels": list(declaration.audio_in_channels),
        "audio_out_channels": list(declaration.audio_out_channels),
        "audio_in_labels": list(declaration.in_labels),
        "audio_out_labels": list(declaration.out_labels),
        "is_one_shot_model": declaration.is_one_shot,
        "is_text_model": bool(declaration.text_parameters),
        "is_tokens_model": bool(declaration.tokens_parameters),
        "model_bpm": declaration.model_bpm,
        "neutone_like": {
            "realtime": False,
            "audio_in_channels": list(declaration.audio_in_channels),
            "audio_out_channels": list(declaration.audio_out_channels),
            "keeps_length": declaration.keeps_length,
            "look_behind_samples": declaration.look_behind_samples,
            "overlap_window": declaration.overlap_window,
            "overlap_hop_samples": declaration.overlap_hop_samples,
            "tokenizer_type": declaration.tokenizer_type,
            "parameters": parameter_records(declaration.parameters),
            **hosts_key(declaration.parameters, declaration.audio_in_channels, declaration.audio_out_channels),
        },
    }


def text_slots(declaration: OfflineDeclaration) -> dict[str, Any]:
    """A text, then a list of tokens, as entries of ``neutone_parameters``: the first ones, where there are more."""
    entries: list[dict[str, Any]] = [
        {
            "name": text.name,
            "description": text.description,
            "default_value": text.default,
            "used": True,
            "type": text.kind,
            "max_n_chars": text.max_characters,
        }
        for text in declaration.text_parameters[:MOST_TEXTS]
    ]
    entries += [
        {
            "name": tokens.name,
            "description": tokens.description,
            "default_value": list(tokens.default),
            "used": True,
            "type": tokens.kind,
            "max_n_tokens": tokens.max_tokens,
        }
        for tokens in declaration.tokens_parameters[:MOST_TOKENS]
    ]
    first = len(numerical_slots(declaration.numerical_parameters)) + 1
    return {f"p{first + index}": entry for index, entry in enumerate(entries)}
