// A model in WebAssembly, for the page, for the AudioWorklet and for Node: native/include/neutone_like/compiled.h in JavaScript.
// Worklets have no TextDecoder, no fetch and no clock, so nothing here asks for them.

const SUCCESS = 0;
const HOST_BYTES = 20; // nl_compiled_host: size, sample_rate, block_size, channels, varying_blocks
const FLOAT_BYTES = 4;

export class Player {
  // module: a WebAssembly.Module of a player; model: an ArrayBuffer or typed array, the content of a model.nlc.
  // Throws an Error whose message is for people, when the bytes are no model that can be played.
  constructor(module, model) {
    this.exports = new WebAssembly.Instance(module, {}).exports;
    this.exports._initialize();
    const content = ArrayBuffer.isView(model) ? new Uint8Array(model.buffer, model.byteOffset, model.byteLength) : new Uint8Array(model);
    const bytes = this.exports.malloc(Math.max(1, content.length));
    if (bytes === 0) throw new Error('There is not enough memory for the model.');
    new Uint8Array(this.exports.memory.buffer).set(content, bytes);
    const place = this.exports.malloc(4);
    this.attempt(() => this.exports.nl_compiled_open(bytes, content.length, place));
    this.model = new Uint32Array(this.exports.memory.buffer)[place / 4];
    this.exports.free(bytes);
    this.exports.free(place);
    this.blockSize = 0;
  }

  // Gets ready for a host and takes all memory; what was played before is forgotten, parameters stay.
  prepare(sampleRate, blockSize, channels) {
    const { malloc, free } = this.exports;
    const host = malloc(HOST_BYTES);
    new Int32Array(this.exports.memory.buffer).set([HOST_BYTES, sampleRate, blockSize, channels, 0], host / 4);
    this.attempt(() => this.exports.nl_compiled_prepare(this.model, host));
    free(host);
    this.blockSize = blockSize;
    this.outChannels = this.exports.nl_compiled_output_channels(this.model);
    const inputs = this.rows(channels, blockSize);
    const outputs = this.rows(this.outChannels, blockSize);
    this.inRows = inputs.pointers;
    this.outRows = outputs.pointers;
    // Views of memory end when it grows, so they are made when all of it is taken.
    this.inputs = this.views(inputs, channels, blockSize);
    this.outputs = this.views(outputs, this.outChannels, blockSize);
  }

  // Plays `samples` of this.inputs into this.outputs. Takes no memory.
  process(samples) {
    return this.exports.nl_compiled_process(this.model, this.inRows, this.outRows, samples) === SUCCESS;
  }

  // A parameter's value in its own unit, by its place in the declaration. False: it has no such value, and stays.
  set(index, value) {
    return this.exports.nl_compiled_set_parameter(this.model, index, value) === SUCCESS;
  }

  get latencySamples() {
    return Number(this.exports.nl_compiled_latency_samples(this.model));
  }

  get kernels() {
    return this.text(this.exports.nl_compiled_kernels(this.model));
  }

  // What compiled.h returns elsewhere traps here; the words are the same.
  attempt(call) {
    let result;
    try {
      result = call();
    } catch (error) {
      throw new Error(this.lastError() || String(error));
    }
    if (result !== SUCCESS) throw new Error(this.lastError() || `The model failed with code ${result}.`);
  }

  lastError() {
    return this.text(this.exports.nl_compiled_last_error());
  }

  text(address) {
    const bytes = new Uint8Array(this.exports.memory.buffer);
    const escaped = Array.from(bytes.subarray(address, bytes.indexOf(0, address)), byte => `%${byte.toString(16).padStart(2, '0')}`);
    return decodeURIComponent(escaped.join(''));
  }

  rows(count, samples) {
    const memory = this.exports.malloc(FLOAT_BYTES * count * samples);
    const pointers = this.exports.malloc(4 * count);
    const words = new Uint32Array(this.exports.memory.buffer);
    for (let row = 0; row < count; ++row) words[pointers / 4 + row] = memory + FLOAT_BYTES * row * samples;
    return { memory, pointers };
  }

  views(rows, count, samples) {
    const buffer = this.exports.memory.buffer;
    return Array.from({ length: count }, (_, row) => new Float32Array(buffer, rows.memory + FLOAT_BYTES * row * samples, samples));
  }
}
