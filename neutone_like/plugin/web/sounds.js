// Sounds: what files hold, one that is made here, and what is written.

const WAV_FLOAT = 3;

// The sample rate that a WAV or FLAC file says it has, or null: decoding at that rate changes no sample.
export function rateInside(bytes) {
  const view = new DataView(bytes);
  const tag = at => (at + 4 <= view.byteLength ? String.fromCharCode(...new Uint8Array(bytes, at, 4)) : '');
  if (tag(0) === 'fLaC' && view.byteLength > 21) return (view.getUint16(18) << 4) | (view.getUint8(20) >> 4);
  if (tag(0) !== 'RIFF' || tag(8) !== 'WAVE') return null;
  for (let at = 12; at + 16 <= view.byteLength; at += 8 + view.getUint32(at + 4, true) + (view.getUint32(at + 4, true) & 1)) {
    if (tag(at) === 'fmt ') return view.getUint32(at + 12, true);
  }
  return null;
}

// An AudioBuffer of a file's bytes (an ArrayBuffer), at its own rate where that can be known and played, else at `rate`.
export async function decode(bytes, rate) {
  const own = rateInside(bytes);
  let context;
  try {
    context = new OfflineAudioContext(1, 1, own ?? rate);
  } catch {
    context = new OfflineAudioContext(1, 1, rate); // no browser plays at the file's
  }
  return context.decodeAudioData(bytes);
}

// Plucked strings, so that there is something to hear without any file: Karplus and Strong's loop of a decaying noise.
export function pluckedStrings(rate) {
  const notes = [40, 47, 52, 55, 59, 64, 59, 55]; // MIDI; E minor
  const spacing = Math.round(0.5 * rate);
  const sound = new AudioBuffer({ length: spacing * notes.length, numberOfChannels: 1, sampleRate: rate });
  const out = sound.getChannelData(0);
  notes.forEach((note, index) => pluck(out, index * spacing, rate / (440 * 2 ** ((note - 69) / 12))));
  return sound;
}

function pluck(out, from, period) {
  const string = new Float32Array(Math.round(period));
  let seed = 1;
  for (let i = 0; i < string.length; ++i) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    string[i] = seed / 2 ** 31 - 1;
  }
  for (let i = from, at = 0; i < out.length; ++i) {
    const next = (at + 1) % string.length;
    out[i] += 0.35 * string[at];
    string[at] = 0.4985 * (string[at] + string[next]);
    at = next;
  }
}

// A WAV file of 32-bit floating point: what was computed, as it is.
export function wavOf(channels, rate) {
  const count = channels.length;
  const frames = channels[0].length;
  const view = new DataView(new ArrayBuffer(58 + 4 * count * frames));
  const text = (at, word) => [...word].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, 'RIFF');
  view.setUint32(4, view.byteLength - 8, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 18, true);
  view.setUint16(20, WAV_FLOAT, true);
  view.setUint16(22, count, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 4 * count * rate, true);
  view.setUint16(32, 4 * count, true);
  view.setUint16(34, 32, true);
  text(38, 'fact');
  view.setUint32(42, 4, true);
  view.setUint32(46, frames, true);
  text(50, 'data');
  view.setUint32(54, 4 * count * frames, true);
  for (let i = 0; i < frames; ++i) {
    for (let channel = 0; channel < count; ++channel) view.setFloat32(58 + 4 * (i * count + channel), channels[channel][i], true);
  }
  return new Blob([view], { type: 'audio/wav' });
}
