"""Tone generator: names of notes in, sound out; no audio goes in.

What it shows:

- **A generator.** ``audio_in_channels = ()``; being one-shot, it makes as much sound as it has notes.
- **Tokens, and a tokenizer that travels with the model.** ``NonRealtimeTokenizerBase`` carries a ``tokenizer.json`` as
  the library ``tokenizers`` reads it, so that a host turns ``"A4 C#5 Db5"`` into ``[47, 51, 51]`` by itself. This one
  is written out below: words are looked up, and flats become sharps on the way.
- **A text.** Words of ``sound`` choose the timbre; what it does not know, it passes over.
- **Any rate.** The sound is computed at the host's own rate, with no partial above half of it.

Run ``python examples/tone_generator.py`` for the artifact, or
``neutone-like export examples/tone_generator.py --out DIR``. Then
``neutone-like render build/tone_generator --param notes="A4 C#5 E5" --param sound="plucked" ...`` plays it.
"""

import json
import math
from typing import Any

import torch
from torch import Tensor, nn

from neutone_like import (
    ContinuousParameter,
    ModelMetadata,
    NonRealtimeTokenizerBase,
    TextParameter,
    TokensParameter,
)
from neutone_like.errors import ParameterError

SHARPS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
FLATS = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#"}
LOWEST_OCTAVE, HIGHEST_OCTAVE = 1, 7
UNKNOWN, REST, FIRST_NOTE = 0, 1, 2  # tokens
LOWEST_MIDI_NOTE = 12 * (LOWEST_OCTAVE + 1)  # C1
NOTE_NAMES = tuple(f"{name}{octave}" for octave in range(LOWEST_OCTAVE, HIGHEST_OCTAVE + 1) for name in SHARPS)
HARMONICS = 12
LEVEL = 0.25


def tokenizer_json() -> str:
    """A word for each note, ``-`` for a rest, in the format of the library ``tokenizers``."""
    words = ("[unknown]", "-", *NOTE_NAMES)
    normalizers: list[dict[str, Any]] = [
        {"type": "Replace", "pattern": {"String": flat}, "content": sharp} for flat, sharp in FLATS.items()
    ]
    return json.dumps(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [],
            "normalizer": {"type": "Sequence", "normalizers": normalizers},
            "pre_tokenizer": {"type": "WhitespaceSplit"},
            "post_processor": None,
            "decoder": None,
            "model": {
                "type": "WordLevel",
                "vocab": {word: token for token, word in enumerate(words)},
                "unk_token": words[UNKNOWN],
            },
        }
    )


def tokens_of(*names: str) -> tuple[int, ...]:
    """The tokens of note names, where no tokenizer is at hand."""
    return tuple(REST if name == "-" else FIRST_NOTE + NOTE_NAMES.index(name) for name in names)


class ToneGenerator(NonRealtimeTokenizerBase):
    """One note after the other."""

    metadata = ModelMetadata(
        name="Tone generator",
        authors=("Ada",),
        version="1.0.0",
        short_description="Plays the notes that are written down",
        long_description="Notes from C1 to B7, such as A4 or C#5; - is a rest. Sounds: bright, soft, plucked.",
        tags=("generator", "text", "synthesizer"),
    )
    parameters = (
        TokensParameter("notes", "Such as: A4 C#5 - E5", default=tokens_of("A4", "C#5", "E5", "A5"), max_tokens=128),
        TextParameter("sound", "Any of: bright, soft, plucked", default="soft", max_characters=100),
        ContinuousParameter("tempo", "Notes a minute", default=120.0, minimum=40.0, maximum=480.0, unit="bpm"),
        ContinuousParameter("tuning", "Pitch of A4", default=440.0, minimum=415.0, maximum=466.0, unit="Hz"),
    )
    audio_in_channels = ()
    audio_out_channels = (1,)

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model, tokenizer_json(), "JSON")
        # TorchScript sees attributes, not this file's constants.
        self.sample_rate: int = 48000
        self.rest: int = REST
        self.first_note: int = FIRST_NOTE
        self.last_note: int = FIRST_NOTE + len(NOTE_NAMES) - 1
        self.lowest_midi_note: int = LOWEST_MIDI_NOTE
        self.harmonics: int = HARMONICS
        self.level: float = LEVEL

    @torch.jit.export
    def is_one_shot_model(self) -> bool:
        """All notes at once; how long that is, the notes say."""
        return True

    @torch.jit.export
    def has_progress_percentage(self) -> bool:
        """After each note."""
        return True

    @torch.jit.export
    def prepare_model(self, sample_rate: int, block_size: int) -> None:
        """The host's own rate, as the model takes any."""
        self.sample_rate = sample_rate

    def do_forward_pass(
        self,
        curr_block_idx: int,
        audio_in: list[Tensor],
        numerical_params: dict[str, Tensor],
        text_params: list[str],
        tokens_params: list[list[int]],
    ) -> list[Tensor]:
        """Nothing to ``[[1, notes * note length]]``; without notes, a rest.

        Raises:
            ParameterError: A token that is no note.
        """
        notes = tokens_params[0]
        if len(notes) == 0:
            notes = [self.rest]
        seconds = 60.0 / float(numerical_params["tempo"])
        tuning_hz = float(numerical_params["tuning"])
        sound: list[Tensor] = []
        for index, token in enumerate(notes):
            if self.should_cancel_forward_pass():
                return []
            # Each note starts where the exact time of its beat rounds to, so that none drifts.
            length = round((index + 1) * seconds * self.sample_rate) - round(index * seconds * self.sample_rate)
            sound.append(self._note(self._hertz(token, index, tuning_hz), int(length), text_params[0].lower()))
            self.set_progress_percentage(100.0 * (index + 1) / len(notes))
        return [torch.cat(sound).unsqueeze(0)]

    def _hertz(self, token: int, index: int, tuning_hz: float) -> float:
        """Equal temperament; 0 for a rest."""
        if token == self.rest:
            return 0.0
        if token < self.first_note or token > self.last_note:
            raise ParameterError(
                f"notes: number {index + 1} is no note (token {token}). Write notes from C1 to B7 with spaces between "
                "them, as in A4 C#5 Eb5, and - for a rest."
            )
        return tuning_hz * math.pow(2.0, (token - self.first_note + self.lowest_midi_note - 69) / 12.0)

    def _note(self, hertz: float, samples: int, sound: str) -> Tensor:
        """Harmonics below half the rate, with soft ends: ``[samples]``."""
        time = torch.arange(samples, dtype=torch.float64) / self.sample_rate
        note = torch.zeros(samples, dtype=torch.float64)
        slope = 1.0 if sound.find("bright") >= 0 else 3.0 if sound.find("soft") >= 0 else 2.0
        if hertz > 0.0:
            for harmonic in range(1, self.harmonics + 1):
                if harmonic * hertz < 0.45 * self.sample_rate:
                    note += torch.sin(2.0 * math.pi * harmonic * hertz * time) / math.pow(float(harmonic), slope)
        if sound.find("plucked") >= 0:
            note = note * torch.exp(-5.0 * time)
        ends = (time / 0.005).clamp(max=1.0) * (time.flip(0) / 0.02).clamp(max=1.0)
        return (self.level * note * ends).to(torch.float32)


def build_model() -> ToneGenerator:
    """What ``neutone-like export examples/tone_generator.py`` calls."""
    return ToneGenerator(nn.Identity())


if __name__ == "__main__":
    import sys

    from neutone_like import export_model

    result = export_model(build_model(), sys.argv[1] if len(sys.argv) > 1 else "build/tone_generator")
    print(f"Wrote {result.model_path}")
