// node play_library.mjs MODEL.wasm RATE BLOCK CHANNELS [NAME=VALUE]... <IN.f32 >OUT.f32: what compiled.c does, in JavaScript.
import fs from 'node:fs';

const [file, rate, block, channels, ...settings] = process.argv.slice(2).map((word, at) => (at >= 1 && at <= 3 ? Number(word) : word));
const module = new WebAssembly.Module(fs.readFileSync(file));
const nl = new WebAssembly.Instance(module, {}).exports;
nl._initialize();

const bytes = () => new Uint8Array(nl.memory.buffer);
const words = () => new Int32Array(nl.memory.buffer);
const floats = () => new Float32Array(nl.memory.buffer);
const text = at => {
  const end = bytes().indexOf(0, at);
  return new TextDecoder().decode(bytes().slice(at, end));
};
const toC = string => {
  const encoded = new TextEncoder().encode(string + '\0');
  const at = nl.malloc(encoded.length);
  bytes().set(encoded, at);
  return at;
};
const check = (result, doing) => {
  if (result !== 0) throw new Error(`${doing}: ${text(nl.nl_compiled_last_error())}`);
};

const place = nl.malloc(4);
check(nl.nl_compiled_open_builtin(place), 'open');
const model = words()[place / 4];
// nl_compiled_host: size, sample_rate, block_size, channels, varying_blocks
const host = nl.malloc(20);
words().set([20, rate, block, channels, 0], host / 4);
try {
  check(nl.nl_compiled_prepare(model, host), 'prepare');
} catch (error) {
  console.error(error.constructor.name, text(nl.nl_compiled_last_error()));
  process.exit(1);
}
for (const setting of settings) {
  const [name, value] = setting.split('=');
  check(nl.nl_compiled_find_parameter(model, toC(name), place), name);
  check(nl.nl_compiled_set_parameter(model, words()[place / 4], Number(value)), name);
}
const latency = nl.nl_compiled_latency_samples(model);
console.error(`latency ${latency} samples, ${text(nl.nl_compiled_kernels(model))}`);

const outChannels = nl.nl_compiled_output_channels(model);
const rows = count => {
  const memory = nl.malloc(4 * count * block);
  const pointers = nl.malloc(4 * count);
  for (let row = 0; row < count; ++row) words()[pointers / 4 + row] = memory + 4 * row * block;
  return [memory / 4, pointers];
};
const [inMemory, inRows] = rows(channels);
const [outMemory, outRows] = rows(outChannels);
const given = fs.readFileSync(0);
const audio = new Float32Array(given.buffer, given.byteOffset, given.length / 4);
const frames = audio.length / channels;
const out = new Float32Array(frames * outChannels);
for (let at = 0; at < frames; at += block) {
  const samples = Math.min(block, frames - at);
  for (let i = 0; i < samples; ++i) for (let c = 0; c < channels; ++c) floats()[inMemory + c * block + i] = audio[(at + i) * channels + c];
  check(nl.nl_compiled_process(model, inRows, outRows, samples), 'process');
  for (let i = 0; i < samples; ++i) for (let c = 0; c < outChannels; ++c) out[(at + i) * outChannels + c] = floats()[outMemory + c * block + i];
}
fs.writeSync(1, new Uint8Array(out.buffer));
nl.nl_compiled_destroy(model);
