// Live play: a sound, or the microphone, through the model to the loudspeakers.

const SLEEP_SECONDS = 6; // after the sound stopped; what rings on is heard until then
const RESUME_MILLISECONDS = 700; // a promise to resume is never kept, nor broken, where a page may not sound

// Ends a microphone's stream.
export function silence(stream) {
  stream.getTracks().forEach(track => track.stop());
}

export class Live {
  // `told` gets what changes: { latency, quantum }, { load }, { problem }.
  constructor(model, told) {
    this.model = model;
    this.told = told;
    this.after = true;
    this.offset = 0;
    this.pair = 0;
  }

  // The context comes with the first click: browsers let no page sound before.
  async start() {
    this.opening ??= this.open().catch(error => {
      this.opening = undefined;
      throw error;
    });
    await this.opening;
    clearTimeout(this.sleeping);
    await Promise.race([this.context.resume(), new Promise(resolve => setTimeout(resolve, RESUME_MILLISECONDS))]);
    if (this.context.state !== 'running') throw new Error('Press Play: browsers let no page sound before a click.');
  }

  async open() {
    this.context = new AudioContext({ latencyHint: 'interactive' });
    const channels = this.model.channelsFor(2);
    this.analyser = new AnalyserNode(this.context, { fftSize: 2048, smoothingTimeConstant: 0.3 });
    this.out = new GainNode(this.context, { channelCount: 2, channelCountMode: 'explicit', channelInterpretation: 'discrete' });
    this.out.connect(this.analyser);
    this.out.connect(this.context.destination);
    this.input = this.out;
    if (!this.context.audioWorklet) return;
    this.node = await this.model.node(this.context, channels, { after: this.after, heard: this.told });
    this.input = this.node;
    this.splitter = new ChannelSplitterNode(this.context, { numberOfOutputs: this.model.outChannelsFor(channels) });
    this.merger = new ChannelMergerNode(this.context, { numberOfInputs: 2 });
    this.node.connect(this.splitter);
    this.merger.connect(this.out);
    this.listenTo(this.pair);
  }

  // Two of the output's channels, from `first` on.
  listenTo(first) {
    this.pair = first;
    if (!this.splitter) return;
    this.splitter.disconnect();
    const outputs = this.splitter.numberOfOutputs;
    for (const side of [0, 1]) this.splitter.connect(this.merger, Math.min(first + side, outputs - 1), side);
  }

  // A sound, at once: start() has been awaited, so that nothing comes between the wish and the sound.
  play(buffer) {
    this.stopSource();
    this.buffer = buffer;
    this.source = new AudioBufferSourceNode(this.context, { buffer, loop: true });
    this.source.connect(this.input);
    this.began = this.context.currentTime - this.offset;
    this.source.start(0, this.offset);
  }

  // As play(), of a MediaStream.
  playMicrophone(stream) {
    this.stopSource();
    this.stream = stream;
    this.source = new MediaStreamAudioSourceNode(this.context, { mediaStream: stream });
    this.source.connect(this.input);
  }

  pause() {
    this.offset = this.position;
    this.stopSource();
    this.sleeping = setTimeout(() => this.context.suspend(), 1000 * SLEEP_SECONDS);
  }

  stopSource() {
    clearTimeout(this.sleeping);
    this.source?.disconnect();
    if (this.stream) silence(this.stream);
    this.source = this.stream = this.began = undefined;
  }

  get playing() {
    return this.source !== undefined;
  }

  // Seconds into the sound.
  get position() {
    if (this.began === undefined) return this.offset;
    return (this.context.currentTime - this.began) % this.buffer.duration;
  }

  seek(seconds) {
    this.offset = seconds;
    if (this.began !== undefined) this.play(this.buffer);
  }

  hear(after) {
    this.after = after;
    this.node?.port.postMessage({ after });
  }

  set(parameter, value) {
    this.model.values[parameter] = value;
    this.node?.port.postMessage({ parameter, value });
  }

  // Seconds that the browser adds to the model's latency, as far as it knows.
  get browserLatency() {
    return (this.context?.baseLatency ?? 0) + (this.context?.outputLatency ?? 0);
  }
}
