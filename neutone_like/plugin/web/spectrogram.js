// What is heard, as a picture that moves to the left: time across, frequency up (in octaves), level as colour.

const LOWEST_HZ = 40;
const QUIETEST_DB = -100;
const LOUDEST_DB = -12;
const TICKS_HZ = [100, 1000, 10000];
const STOPS = [[8, 10, 20], [58, 20, 94], [150, 38, 108], [226, 86, 62], [250, 168, 52], [252, 250, 190]];
const PIXELS_A_FRAME = 1.5;

export class Spectrogram {
  constructor(canvas) {
    this.canvas = canvas;
    this.drawing = canvas.getContext('2d', { alpha: false });
    this.fit();
    new ResizeObserver(() => this.fit()).observe(canvas);
  }

  fit() {
    const scale = Math.min(2, window.devicePixelRatio || 1);
    const width = Math.max(1, Math.round(this.canvas.clientWidth * scale));
    const height = Math.max(1, Math.round(this.canvas.clientHeight * scale));
    if (width === this.canvas.width && height === this.canvas.height) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.drawing.fillStyle = `rgb(${STOPS[0]})`;
    this.drawing.fillRect(0, 0, width, height);
    this.column = null;
  }

  // One more column of an AnalyserNode.
  draw(analyser) {
    const { width, height } = this.canvas;
    const step = Math.max(1, Math.round(PIXELS_A_FRAME * Math.min(2, window.devicePixelRatio || 1)));
    if (!this.column) this.prepare(analyser, height);
    analyser.getFloatFrequencyData(this.levels);
    for (let y = 0; y < height; ++y) this.colour(y, this.levelAt(y));
    this.drawing.drawImage(this.canvas, -step, 0);
    for (let x = width - step; x < width; ++x) this.drawing.putImageData(this.column, x, 0);
  }

  prepare(analyser, height) {
    this.levels = new Float32Array(analyser.frequencyBinCount);
    this.column = this.drawing.createImageData(1, height);
    const highest = analyser.context.sampleRate / 2;
    const bins = y => (LOWEST_HZ * (highest / LOWEST_HZ) ** (1 - y / height) * analyser.fftSize) / analyser.context.sampleRate;
    this.bins = Float32Array.from({ length: height + 1 }, (_, y) => bins(y));
  }

  // The loudest of the frequencies of a row; between two where they are farther apart than rows.
  levelAt(y) {
    const from = this.bins[y + 1];
    const to = this.bins[y];
    const last = this.levels.length - 1;
    const below = Math.min(last, Math.floor(from));
    const mixed = from - below;
    let level = this.levels[below] * (1 - mixed) + this.levels[Math.min(last, below + 1)] * mixed;
    for (let bin = below + 1; bin < to && bin <= last; ++bin) level = Math.max(level, this.levels[bin]);
    return level;
  }

  colour(y, level) {
    const share = Math.min(1, Math.max(0, (level - QUIETEST_DB) / (LOUDEST_DB - QUIETEST_DB))) || 0;
    const at = share * (STOPS.length - 1);
    const from = Math.min(STOPS.length - 2, Math.floor(at));
    for (let c = 0; c < 3; ++c) {
      this.column.data[4 * y + c] = STOPS[from][c] + (at - from) * (STOPS[from + 1][c] - STOPS[from][c]);
    }
    this.column.data[4 * y + 3] = 255;
  }
}

// Puts the frequencies' names beside the picture, for a sample rate in Hz.
export function labelFrequencies(place, rate) {
  const highest = rate / 2;
  place.replaceChildren(...TICKS_HZ.filter(hertz => hertz < highest).map(hertz => {
    const label = document.createElement('span');
    label.textContent = hertz < 1000 ? `${hertz} Hz` : `${hertz / 1000} kHz`;
    label.style.bottom = `${(100 * Math.log(hertz / LOWEST_HZ)) / Math.log(highest / LOWEST_HZ)}%`;
    return label;
  }));
}
