// node play_worklet.mjs PAGE MODEL.nlc RATE QUANTA AFTER_AT [INDEX=VALUE]... <IN.f32 >OUT.f32: a page's worklet in
// Node, mono. QUANTA are the lengths of its blocks, the last one that of all that follow; the first one is promised. At the
// block AFTER_AT parameters get their values, and the model is heard from there on, before that the input. What it tells its
// page goes to stderr.
import fs from 'node:fs';

const [page, model, rate, lengths, afterAt, ...settings] = process.argv.slice(2);
const dataUrl = text => `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`;
const read = name => fs.readFileSync(`${page}/${name}`, 'utf8');

let Processor;
const told = [];
globalThis.sampleRate = Number(rate);
globalThis.AudioWorkletProcessor = class { port = { postMessage: message => told.push(message) }; };
globalThis.registerProcessor = (_, made) => { Processor = made; };
await import(dataUrl(read('worklet.js').replace('./core.js', dataUrl(read('core.js')))));

const quanta = lengths.split(',').map(Number);
const processor = new Processor({
  processorOptions: {
    player: fs.readFileSync(`${page}/player.wasm`),
    model: fs.readFileSync(model),
    values: [],
    mix: { wet: 1, dry: 0, inputGain: 1, outputGain: 1 },
    channels: 1,
    quantum: quanta[0],
    after: false,
  },
});
const given = fs.readFileSync(0);
const audio = new Float32Array(given.buffer, given.byteOffset, given.length / 4);
const heard = new Float32Array(audio.length);
for (let at = 0, turn = 0; at < audio.length; ++turn) {
  const samples = Math.min(quanta[Math.min(turn, quanta.length - 1)], audio.length - at);
  if (turn === Number(afterAt)) {
    for (const [parameter, value] of settings.map(setting => setting.split('=').map(Number))) processor.port.onmessage({ data: { parameter, value } });
    processor.port.onmessage({ data: { after: true } });
  }
  const output = new Float32Array(samples);
  if (!processor.process([[audio.slice(at, at + samples)]], [[output]])) throw new Error('it ended');
  heard.set(output, at);
  at += samples;
}
fs.writeSync(2, JSON.stringify(told));
fs.writeFileSync(1, new Uint8Array(heard.buffer));
