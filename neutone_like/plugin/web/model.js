// The model as a node of the Web Audio API, playing live or rendering a whole sound.
import { Player } from './core.js';
import { unpacked } from './players.js';

const QUANTUM = 128; // where a browser doesn't say

// A model's parts from the contents of a player's file and model.nlc. Worklets get the bytes and compile them themselves,
// so that no browser has to hand a compiled module over.
export async function openParts(content, model) {
  const player = await unpacked(content);
  return { module: await WebAssembly.compile(player), bytes: { player, model } };
}

// What the page has of a model.
export class Model {
  // parts: what openParts gives, or null where there is nothing that can be played and sounds pass as they are.
  constructor(facts, parts) {
    this.facts = facts;
    this.parts = parts;
    this.values = facts.parameters.map(parameter => parameter.default);
  }

  get plays() {
    return this.parts !== null;
  }

  // How many channels a sound of `given` channels is played with: all that a model of mono or stereo gives is to be heard.
  channelsFor(given) {
    const { inChannels, outChannels } = this.facts;
    if (inChannels > 2) return inChannels;
    return Math.min(2, Math.max(given, inChannels, outChannels));
  }

  outChannelsFor(channels) {
    return Math.max(this.facts.inChannels, this.facts.outChannels) > 2 && this.plays ? this.facts.outChannels : channels;
  }

  // A node for a context. `heard` gets what the processor tells: latency, load, a problem.
  async node(context, channels, { after = true, heard = () => {} } = {}) {
    await context.audioWorklet.addModule(new URL('worklet.js', import.meta.url));
    const node = new AudioWorkletNode(context, 'neutone-like-model', {
      channelCount: channels,
      channelCountMode: 'explicit',
      channelInterpretation: channels > 2 ? 'discrete' : 'speakers',
      outputChannelCount: [this.outChannelsFor(channels)],
      processorOptions: {
        ...this.parts?.bytes,
        values: [...this.values],
        mix: this.facts.mix,
        channels,
        quantum: context.renderQuantumSize ?? QUANTUM,
        after,
      },
    });
    node.port.onmessage = ({ data }) => heard(data);
    node.onprocessorerror = () => heard({ problem: 'The audio thread stopped. Load the page again.' });
    return node;
  }

  // A player on this thread, ready for a host.
  player(sampleRate, quantum = QUANTUM, channels = this.channelsFor(2)) {
    const player = new Player(this.parts.module, this.parts.bytes.model);
    player.prepare(sampleRate, quantum, channels);
    return player;
  }

  // An AudioBuffer through the model, as long as it and in step with it. `settings`: of the OfflineAudioContext.
  async render(sound, settings = {}) {
    const channels = this.channelsFor(sound.numberOfChannels);
    const make = length => new OfflineAudioContext({
      length, numberOfChannels: this.outChannelsFor(channels), sampleRate: sound.sampleRate, ...settings,
    });
    const quantum = make(1).renderQuantumSize ?? QUANTUM;
    const latency = this.plays ? this.player(sound.sampleRate, quantum, channels).latencySamples : 0;
    const context = make(sound.length + latency);
    let problem = null;
    const node = await this.node(context, channels, { heard: data => { problem ??= data.problem; } });
    const source = new AudioBufferSourceNode(context, { buffer: sound });
    source.connect(node).connect(context.destination);
    source.start();
    const rendered = await context.startRendering();
    if (problem) throw new Error(problem);
    const rows = Array.from({ length: rendered.numberOfChannels }, (_, channel) => rendered.getChannelData(channel).subarray(latency));
    return { rows, sampleRate: sound.sampleRate, latency, quantum };
  }
}
