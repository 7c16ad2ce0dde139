"""Models on sound cards: devices, a stream that plays, knobs by MIDI, recordings, and the way round measured."""

from typing import TYPE_CHECKING

from neutone_like.lazy import export_lazily

if TYPE_CHECKING:
    from neutone_like.runtime.live.device import Device as Device
    from neutone_like.runtime.live.device import devices as devices
    from neutone_like.runtime.live.midi import MidiKnobs as MidiKnobs
    from neutone_like.runtime.live.midi import midi_inputs as midi_inputs
    from neutone_like.runtime.live.midi_map import MidiControl as MidiControl
    from neutone_like.runtime.live.recorder import Recording as Recording
    from neutone_like.runtime.live.report import LiveReport as LiveReport
    from neutone_like.runtime.live.report import LiveStatus as LiveStatus
    from neutone_like.runtime.live.round_trip import RoundTrip as RoundTrip
    from neutone_like.runtime.live.round_trip import measure_round_trip as measure_round_trip
    from neutone_like.runtime.live.stream import LiveStream as LiveStream

export_lazily(
    globals(),
    {
        "neutone_like.runtime.live.device": ("Device", "devices"),
        "neutone_like.runtime.live.midi": ("MidiKnobs", "midi_inputs"),
        "neutone_like.runtime.live.midi_map": ("MidiControl",),
        "neutone_like.runtime.live.recorder": ("Recording",),
        "neutone_like.runtime.live.report": ("LiveReport", "LiveStatus"),
        "neutone_like.runtime.live.round_trip": ("RoundTrip", "measure_round_trip"),
        "neutone_like.runtime.live.stream": ("LiveStream",),
    },
)
