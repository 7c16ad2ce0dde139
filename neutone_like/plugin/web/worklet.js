// The model in the audio thread. process() takes no memory: what it needs is made when the quantum's length is known.
import { Player } from './core.js';

const FADE_SECONDS = 0.01;
const REPORT_SECONDS = 0.5;
const now = globalThis.performance === undefined ? () => Date.now() : () => performance.now();

class ModelProcessor extends AudioWorkletProcessor {
  // options: player and model, which are bytes (none: nothing but the input is heard), values of the parameters, mix,
  // channels that come, quantum, and whether the output is heard or the input.
  constructor({ processorOptions: options }) {
    super();
    this.options = options;
    this.blend = this.target = options.after ? 1 : 0;
    this.player = null;
    this.busy = this.counted = 0;
    this.port.onmessage = ({ data }) => this.take(data);
    this.open();
    this.prepare(options.quantum);
  }

  take({ parameter, value, after }) {
    if (after !== undefined) this.target = after ? 1 : 0;
    if (parameter === undefined) return;
    this.options.values[parameter] = value;
    if (this.player) this.player.set(parameter, value);
  }

  open() {
    const { player, model, values } = this.options;
    if (!player || !model) return;
    try {
      this.player = new Player(new WebAssembly.Module(player), model);
      values.forEach((value, index) => this.player.set(index, value));
    } catch (error) {
      this.giveUp(error);
    }
  }

  prepare(quantum) {
    this.quantum = quantum;
    try {
      if (this.player) this.player.prepare(sampleRate, quantum, this.options.channels);
    } catch (error) {
      this.giveUp(error);
    }
    this.latency = this.player ? this.player.latencySamples : 0;
    this.silence = new Float32Array(this.latency + quantum);
    this.past = Array.from({ length: this.options.channels }, () => new Float32Array(this.latency + quantum));
    this.at = 0;
    this.port.postMessage({ latency: this.latency, quantum });
  }

  giveUp(error) {
    this.player = null;
    this.port.postMessage({ problem: error.message });
  }

  process(inputs, outputs) {
    const input = inputs[0];
    const output = outputs[0];
    const samples = output[0].length;
    const began = now();
    if (samples !== this.quantum) this.prepare(samples);
    this.remember(input, samples);
    if (this.player) this.play(input, samples);
    this.hear(output, samples);
    this.count(now() - began, samples);
    return true;
  }

  // The input waits for the output that belongs to it. What is not finite is silence.
  remember(input, samples) {
    for (let channel = 0; channel < this.past.length; ++channel) {
      const past = this.past[channel];
      const row = input[channel];
      for (let i = 0, to = this.at; i < samples; ++i) {
        past[to] = row !== undefined && Number.isFinite(row[i]) ? row[i] : 0;
        if (++to === past.length) to = 0;
      }
    }
  }

  play(input, samples) {
    const gain = this.options.mix.inputGain;
    for (let channel = 0; channel < this.player.inputs.length; ++channel) {
      const row = input[channel];
      const to = this.player.inputs[channel];
      if (row === undefined) to.fill(0);
      else for (let i = 0; i < samples; ++i) to[i] = gain * row[i];
    }
    try {
      if (!this.player.process(samples)) this.giveUp(new Error('The model takes no blocks of this length.'));
    } catch (error) {
      this.giveUp(error);
    }
  }

  // Between the input and the output a switch takes FADE_SECONDS, so that it doesn't click.
  hear(output, samples) {
    const from = this.blend;
    for (let channel = 0; channel < output.length; ++channel) {
      this.blend = from;
      this.hearChannel(output[channel], this.past[channel] ?? this.silence, this.player?.outputs[channel], samples);
    }
    this.at = (this.at + samples) % this.silence.length;
  }

  hearChannel(output, past, model, samples) {
    const { wet, dry, outputGain } = this.options.mix;
    const step = 1 / (FADE_SECONDS * sampleRate);
    for (let i = 0, at = (this.at + this.quantum) % past.length; i < samples; ++i) {
      const before = past[at];
      const after = model === undefined ? before : outputGain * (wet * model[i] + dry * before);
      output[i] = (1 - this.blend) * before + this.blend * after;
      if (this.blend < this.target) this.blend = Math.min(this.target, this.blend + step);
      else if (this.blend > this.target) this.blend = Math.max(this.target, this.blend - step);
      if (++at === past.length) at = 0;
    }
  }

  // Clocks in here tick in milliseconds at best; the mean of many quanta is right all the same.
  count(spent, samples) {
    this.busy += spent;
    this.counted += samples;
    if (this.counted < REPORT_SECONDS * sampleRate) return;
    this.port.postMessage({ load: this.busy / (1000 * this.counted) * sampleRate });
    this.busy = this.counted = 0;
  }
}

registerProcessor('neutone-like-model', ModelProcessor);
