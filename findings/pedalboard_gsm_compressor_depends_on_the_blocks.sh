#!/usr/bin/env bash
# pedalboard 0.9.26: GSMFullRateCompressor called in blocks with reset=False gives another sound than in one call: 5 dB of
# signal over difference in blocks of 4096, 0 dB (nothing in common) in blocks of 512. In blocks of one length its other effects
# that were tried (Compressor, Chorus, Phaser, Reverb, Delay, Limiter) give the same samples to the last bit. Play it over whole
# sounds only. Installs from PyPI into a temporary folder.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pedalboard==0.9.26 numpy==2.4.6
cat > "$folder/seen.py" <<'PYTHON'
import numpy as np
import pedalboard

RATE = 48000
noise = np.random.default_rng(1).standard_normal(4 * RATE)
sound = (0.25 * np.convolve(noise, np.hanning(40) / 20, "same")).astype(np.float32)[None]


def in_blocks(effect, size):
    pieces = [effect.process(sound[:, i : i + size], RATE, reset=False) for i in range(0, sound.shape[1], size)]
    return np.concatenate(pieces, axis=1)[0]


def snr_db(whole, pieces):
    """At the lag at which they are most alike."""
    size = 1 << 19
    alike = np.fft.irfft(np.fft.rfft(whole, size) * np.conj(np.fft.rfft(pieces, size)), size)
    lag = int(np.argmax(alike))
    lag = lag if lag < size // 2 else lag - size
    first, second = whole[max(0, lag) :], pieces[max(0, -lag) :]
    samples = min(len(first), len(second))
    difference = first[:samples] - second[:samples]
    return 10.0 * np.log10(np.mean(first[:samples] ** 2) / max(np.mean(difference**2), 1e-30))


for effect in ("Compressor", "Chorus", "Phaser", "Reverb", "Delay", "Limiter"):
    make = getattr(pedalboard, effect)
    assert np.array_equal(make().process(sound, RATE)[0], in_blocks(make(), 512)), effect
whole = pedalboard.GSMFullRateCompressor().process(sound, RATE)[0]
seen = {size: snr_db(whole, in_blocks(pedalboard.GSMFullRateCompressor(), size)) for size in (512, 4096, 48000)}
print("signal over difference:", ", ".join(f"{db:.1f} dB in blocks of {size}" for size, db in seen.items()))
at_once = snr_db(whole, in_blocks(pedalboard.GSMFullRateCompressor(), sound.shape[1]))
print(f"in one block with reset=False: {at_once:.0f} dB")
assert at_once > 100.0
assert seen[512] < 3.0 and seen[4096] < 8.0 and seen[48000] < 15.0
print("As found: GSMFullRateCompressor depends on the blocks.")
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
