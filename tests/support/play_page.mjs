// node play_page.mjs PAGE PLAYER MODEL.nlc RATE BLOCKS CHANNELS [INDEX=VALUE]... <IN.f32 >OUT.f32: what a page's worklet
// does, in Node. PAGE is the folder with its scripts, PLAYER one of its modules, BLOCKS the lengths of its quanta in turn, as
// 128 or 128,64,1. The output is as long as the input and in step with it.
import fs from 'node:fs';
import v8 from 'node:v8';

const [page, wasm, file, rate, lengths, channelCount, ...settings] = process.argv.slice(2);
const source = fs.readFileSync(`${page}/core.js`);
const module = fs.readFileSync(`${page}/${wasm}`);
if (!WebAssembly.validate(module)) v8.setFlagsFromString('--experimental-wasm-relaxed-simd'); // Node 20 has it, but off
const { Player } = await import(`data:text/javascript;base64,${source.toString('base64')}`);

let player;
try {
  player = new Player(new WebAssembly.Module(module), fs.readFileSync(file));
} catch (error) {
  console.error(`${error.constructor.name}: ${error.message}`);
  process.exit(1);
}
const blocks = lengths.split(',').map(Number);
const channels = Number(channelCount);
player.prepare(Number(rate), Math.max(...blocks), channels);
for (const setting of settings) {
  const [index, value] = setting.split('=').map(Number);
  if (!player.set(index, value)) throw new Error(`no parameter ${setting}`);
}

const given = fs.readFileSync(0);
const audio = new Float32Array(given.buffer, given.byteOffset, given.length / 4);
const frames = audio.length / channels;
const heard = [];
for (let at = 0, turn = 0; heard.length < (frames + player.latencySamples) * player.outChannels; ++turn) {
  const samples = blocks[turn % blocks.length];
  player.inputs.forEach((row, c) => { for (let i = 0; i < samples; ++i) row[i] = at + i < frames ? audio[(at + i) * channels + c] : 0; });
  if (!player.process(samples)) throw new Error('not played');
  for (let i = 0; i < samples; ++i) for (const row of player.outputs) heard.push(row[i]);
  at += samples;
}
const first = player.latencySamples * player.outChannels;
fs.writeSync(2, JSON.stringify({ latency: player.latencySamples, kernels: player.kernels, channels: player.outChannels }));
fs.writeFileSync(1, new Uint8Array(Float32Array.from(heard.slice(first, first + frames * player.outChannels)).buffer));
