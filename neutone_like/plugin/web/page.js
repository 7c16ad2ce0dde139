// The page: what a person does here reaches the model, and what the model does is shown.
import { buildKnobs } from './knobs.js';
import { Live, silence } from './live.js';
import { Model, openParts } from './model.js';
import { keepOffline } from './offline.js';
import { playerFile } from './players.js';
import { decode, pluckedStrings, wavOf } from './sounds.js';
import { Spectrogram, labelFrequencies } from './spectrogram.js';

const MICROPHONE = 'microphone';
const AS_IT_IS = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const USUAL_RATE = 48000;
const at = id => document.getElementById(id);

class Page {
  constructor(facts) {
    this.facts = facts;
    this.sounds = facts.sounds.map(({ name, file }) => ({ name, load: async () => decode(await bytesOf(file), USUAL_RATE) }));
    this.sounds.push({ name: 'Plucked strings', load: async () => pluckedStrings(USUAL_RATE) });
    this.spectrogram = new Spectrogram(at('spectrogram'));
  }

  async open() {
    this.model = await openModel(this.facts, problem => this.tell({ problem }));
    this.live = new Live(this.model, news => this.tell(news));
    this.knobs = buildKnobs(at('knobs'), this.facts.parameters, (index, value) => this.live.set(index, value));
    this.listSounds(0);
    this.listPairs();
    this.listen();
    labelFrequencies(at('frequencies'), USUAL_RATE);
    at('download').disabled = !this.model.plays;
    this.showBefore();
  }

  listSounds(chosen) {
    const options = this.sounds.map(({ name }, index) => new Option(name, index));
    if (navigator.mediaDevices) options.push(new Option('Microphone', MICROPHONE));
    at('sound').replaceChildren(...options);
    at('sound').value = chosen;
  }

  listPairs() {
    const outputs = this.model.outChannelsFor(this.model.channelsFor(2));
    at('pairs-row').hidden = outputs <= 2;
    for (let first = 0; outputs > 2 && first < outputs; first += 2) {
      at('pairs').append(new Option(first + 1 < outputs ? `${first + 1} and ${first + 2}` : `${first + 1}`, first));
    }
    at('pairs').addEventListener('change', () => this.live.listenTo(Number(at('pairs').value)));
  }

  listen() {
    const on = (id, event, act) => at(id).addEventListener(event, act);
    on('play', 'click', () => this.attempt(() => this.toggle()));
    on('sound', 'change', () => this.attempt(() => this.chosen()));
    on('file', 'change', () => this.attempt(() => this.take(at('file').files)));
    on('choose', 'click', () => at('file').click());
    on('seek', 'input', () => this.seek(Number(at('seek').value)));
    on('download', 'click', () => this.attempt(() => this.download()));
    on('defaults', 'click', () => this.knobs.reset());
    document.querySelectorAll('[name=heard]').forEach(radio => radio.addEventListener('change', () => this.live.hear(radio.value === 'after')));
    document.addEventListener('keydown', event => this.key(event));
    const drag = event => {
      event.preventDefault();
      document.body.classList.toggle('dropping', event.type === 'dragover');
    };
    for (const type of ['dragover', 'dragleave', 'drop']) document.addEventListener(type, drag);
    document.addEventListener('drop', event => this.attempt(() => this.take(event.dataTransfer.files)));
  }

  key(event) {
    const { target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest('select, input:not([type=range]):not([type=radio])')) return;
    if (event.key === ' ' && !target.closest('button')) event.preventDefault(), at('play').click(); // a button has a use for it
    if (event.key === 'b' || event.key === 'B') document.querySelector('[name=heard]:not(:checked)').click();
  }

  async attempt(act) {
    try {
      await act();
    } catch (error) {
      at('status').textContent = error.message;
    }
    this.showPlaying();
  }

  async toggle() {
    if (this.live.playing) this.live.pause();
    else await this.play();
  }

  // A sound takes a while to load, and a person to allow the microphone: of several wishes meanwhile the last one is played.
  async play() {
    const wish = (this.wish = {});
    let source;
    try {
      source = await (at('sound').value === MICROPHONE ? this.microphone() : this.loaded());
      if (wish === this.wish) await this.live.start();
      if (wish === this.wish) this.playNow(source);
    } catch (error) {
      if (wish === this.wish) throw error;
    } finally {
      if (wish === this.wish) this.wish = null;
      if (source !== this.live.stream && source instanceof MediaStream) silence(source);
    }
  }

  playNow(source) {
    if (source instanceof MediaStream) {
      this.live.playMicrophone(source);
      at('status').textContent = 'Listen with headphones, or the loudspeakers feed back into the microphone.';
    } else this.live.play(source);
    if (!this.drawing) this.draw();
  }

  async microphone() {
    try {
      return await navigator.mediaDevices.getUserMedia({ audio: AS_IT_IS });
    } catch (error) {
      throw new Error(`The microphone can't be heard: ${error.message}`);
    }
  }

  // The chosen sound as an AudioBuffer, decoded once.
  async loaded() {
    const sound = this.sounds[Number(at('sound').value)];
    sound.buffer ??= sound.load();
    try {
      return await sound.buffer;
    } catch (error) {
      sound.buffer = undefined;
      throw new Error(`“${sound.name}” can't be read: ${error.message}`);
    }
  }

  async chosen() {
    this.live.offset = 0;
    at('seek').disabled = at('sound').value === MICROPHONE;
    at('download').disabled = !this.model.plays || at('seek').disabled;
    at('status').textContent = '';
    if (this.live.playing || this.wish) {
      if (this.live.playing) this.live.pause();
      this.live.offset = 0;
      await this.play();
    }
  }

  async take(files) {
    if (files.length === 0) return;
    for (const file of files) this.sounds.push({ name: file.name, load: async () => decode(await file.arrayBuffer(), USUAL_RATE) });
    this.listSounds(this.sounds.length - 1);
    at('file').value = '';
    if (this.live.playing) this.live.pause();
    this.wish = null;
    await this.chosen();
    await this.play();
  }

  seek(share) {
    if (this.live.buffer) this.live.seek(Math.min(share, 0.9999) * this.live.buffer.duration);
  }

  async download() {
    const name = this.sounds[Number(at('sound').value)].name.replace(/\.[^.]+$/, '');
    at('status').textContent = 'Computing…';
    const sound = await this.loaded();
    const began = performance.now();
    const { rows, sampleRate } = await this.model.render(sound);
    const times = (1000 * sound.duration) / (performance.now() - began);
    const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(wavOf(rows, sampleRate)), download: `${name} - ${this.facts.name}.wav` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    at('status').textContent = `Computed ${times < 10 ? times.toFixed(1) : Math.round(times)} times as fast as it plays: ${link.download}`;
  }

  tell({ problem, latency, quantum, load }) {
    if (problem !== undefined) {
      at('problem').textContent = `${problem} What is heard is the sound as it is.`;
      at('problem').hidden = false;
    }
    if (latency !== undefined && this.live?.context) {
      this.quantum = quantum;
      if (this.model.plays) this.showLatency(latency, this.live.context.sampleRate);
      labelFrequencies(at('frequencies'), this.live.context.sampleRate);
    }
    if (load !== undefined && this.model.plays && this.live.playing) this.showLoad(load);
  }

  // Before anything plays: what can be known here.
  showBefore() {
    if (!this.model.plays) return ['latency', 'load', 'rate'].forEach(id => show(id, 'unknown'));
    this.showLatency(this.model.player(USUAL_RATE).latencySamples, USUAL_RATE);
    show('load', '–', 'measured while it plays');
  }

  showLatency(samples, rate) {
    const browser = this.live?.browserLatency ?? 0;
    const more = browser > 0 ? `; the browser adds ${Math.round(1000 * browser)} ms` : '';
    show('latency', `${((1000 * samples) / rate).toFixed(1)} ms`, `${samples} samples${more}`);
    const own = this.facts.sampleRates;
    const converts = own.length > 0 && !own.includes(rate);
    show('rate', `${rate} Hz`, converts ? `the model’s ${own[0]} Hz, converted` : 'as the model has it');
  }

  showLoad(share) {
    this.load = this.load === undefined ? share : 0.8 * this.load + 0.2 * share;
    const quantum = (1e6 * this.quantum) / this.live.context.sampleRate;
    const percent = `${(100 * this.load).toFixed(this.load < 0.1 ? 1 : 0)} %`;
    show('load', percent, `${Math.round(this.load * quantum)} of ${Math.round(quantum)} µs for ${this.quantum} samples`);
  }

  showPlaying() {
    at('play').textContent = this.live.playing ? 'Stop' : 'Play';
  }

  draw() {
    this.drawing = requestAnimationFrame(() => this.draw());
    if (this.live.context.state !== 'running') return;
    this.spectrogram.draw(this.live.analyser);
    const duration = this.live.buffer?.duration;
    if (!duration || at('sound').value === MICROPHONE) return;
    if (this.live.playing) at('seek').value = this.live.position / duration;
    at('clock').textContent = `${minutes(this.live.position)} / ${minutes(duration)}`;
  }
}

function show(id, big, small = '') {
  const fine = document.createElement('small');
  fine.textContent = small;
  at(id).replaceChildren(big, fine);
}

const minutes = seconds => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

async function bytesOf(file) {
  const response = await fetch(file);
  if (!response.ok) throw new Error(`${file}: ${response.status} ${response.statusText}`);
  return response.arrayBuffer();
}

// The model, proved by opening it here; one that plays nothing where that fails.
async function openModel(facts, failed) {
  try {
    if (!('audioWorklet' in BaseAudioContext.prototype)) throw new Error('browsers give an audio thread only to pages from https:// or localhost.');
    const model = new Model(facts, await openParts(...(await Promise.all([playerFile(), 'model.nlc'].map(bytesOf)))));
    model.player(USUAL_RATE);
    return model;
  } catch (error) {
    failed(`The model can't be played: ${error.message}`);
    return new Model(facts, null);
  }
}

at('unserved').remove();
const facts = JSON.parse(at('facts').textContent);
const page = new Page(facts);
await page.open();
document.documentElement.dataset.ready = 'yes';
keepOffline(facts.files);
