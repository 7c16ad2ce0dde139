"use strict";
// Both sides of a sound run all the time, from one clock; the switch only moves two gains. So they can't drift apart,
// and switching neither interrupts nor repeats anything. Without this script the plain players below each picture stay.
(() => {
  const FADE_SECONDS = 0.01;
  const LEAD_SECONDS = 0.05;
  const SIDES = ["before", "after"];
  const players = [];
  let context = null;

  const bytesOf = (audio) => Uint8Array.from(atob(audio.src.split(",")[1]), (letter) => letter.charCodeAt(0)).buffer;

  class Player {
    constructor(root) {
      const find = (selector) => root.querySelector(selector);
      this.root = root;
      this.seconds = Number(root.dataset.seconds);
      this.loudness = Number(root.dataset.loudness);
      this.plotLeft = Number(root.dataset.plotLeft); // where the pictures' time axes begin, as a share of their width
      this.plotWidth = Number(root.dataset.plotRight) - this.plotLeft;
      this.button = find(".play");
      this.seekBar = find(".seek");
      this.clock = find(".clock");
      this.loop = find(".loop");
      this.match = find(".match");
      this.trouble = find(".trouble");
      this.takes = SIDES.map((side) => find(`.take[data-side="${side}"]`));
      this.cursors = this.takes.map((take) => take.querySelector(".cursor"));
      this.buffers = null;
      this.gains = null;
      this.sources = [];
      this.offset = 0; // where the sound is while nothing plays, or where it was at `began`
      this.began = null; // the clock's time when it started, or null
      this.name = this.button.getAttribute("aria-label").replace(/^Play /, "");
      this.connect(root);
    }

    connect(root) {
      root.querySelector(".controls").hidden = false;
      this.button.addEventListener("click", () => this.toggle());
      this.seekBar.addEventListener("input", () => this.seek(Number(this.seekBar.value)));
      root.querySelectorAll(".switch input").forEach((input) => input.addEventListener("change", () => this.mix()));
      this.match.addEventListener("change", () => this.mix());
      this.loop.addEventListener("change", () => this.seek(this.position()));
      this.takes.forEach((take) => {
        const canvas = take.querySelector(".canvas");
        canvas.addEventListener("click", (event) => {
          const box = canvas.getBoundingClientRect();
          const share = ((event.clientX - box.left) / box.width - this.plotLeft) / this.plotWidth;
          this.seek(share * this.seconds);
        });
      });
      this.mix();
    }

    side() {
      return this.root.querySelector(".switch input:checked").value;
    }

    position() {
      if (this.began === null) return this.offset;
      const passed = this.offset + Math.max(0, context.currentTime - this.began);
      return this.loop.checked ? passed % this.seconds : Math.min(passed, this.seconds);
    }

    async toggle() {
      if (this.began !== null) {
        this.pause();
        return;
      }
      try {
        await this.prepare();
      } catch (error) {
        this.trouble.textContent = `This browser can't play the sounds: ${error.message}. Use the files in samples.`;
        this.trouble.hidden = false;
        return;
      }
      players.filter((other) => other !== this && other.began !== null).forEach((other) => other.pause());
      if (this.began === null) this.start(this.offset >= this.seconds - 0.02 ? 0 : this.offset);
    }

    async prepare() {
      context ??= new AudioContext();
      const resumed = context.resume();
      if (this.buffers === null) {
        const audios = this.takes.map((take) => take.querySelector("audio"));
        this.buffers = await Promise.all(audios.map((audio) => context.decodeAudioData(bytesOf(audio))));
        this.gains = this.buffers.map(() => context.createGain());
        this.gains.forEach((gain, index) => {
          gain.gain.value = this.level(index);
          gain.connect(context.destination);
        });
      }
      await resumed;
    }

    start(position) {
      const when = context.currentTime + LEAD_SECONDS;
      this.sources = this.buffers.map((buffer, index) => {
        const source = context.createBufferSource();
        source.buffer = buffer;
        source.loop = this.loop.checked;
        source.loopEnd = Math.min(this.seconds, buffer.duration);
        source.connect(this.gains[index]);
        source.start(when, position);
        return source;
      });
      this.sources[0].onended = () => {
        this.pause();
        this.show();
      };
      this.offset = position;
      this.began = when;
      this.button.querySelector(".verb").textContent = "Pause";
      this.button.querySelector("[aria-hidden]").textContent = "❚❚";
      this.button.setAttribute("aria-label", `Pause ${this.name}`);
      this.tick();
    }

    pause() {
      this.offset = this.position();
      this.began = null;
      this.sources.forEach((source) => {
        source.onended = null;
        source.stop();
        source.disconnect();
      });
      this.sources = [];
      this.button.querySelector(".verb").textContent = "Play";
      this.button.querySelector("[aria-hidden]").textContent = "▶";
      this.button.setAttribute("aria-label", `Play ${this.name}`);
      this.show();
    }

    seek(seconds) {
      const wanted = Math.min(this.seconds - 0.01, Math.max(0, seconds));
      if (this.began === null) {
        this.offset = wanted;
        this.show();
        return;
      }
      this.pause();
      this.start(wanted);
    }

    level(index) {
      if (SIDES[index] !== this.side()) return 0;
      if (!this.match.checked) return 1;
      return Math.min(1, index === 1 ? this.loudness : 1 / this.loudness); // the louder side comes down
    }

    mix() {
      this.takes.forEach((take, index) => take.classList.toggle("heard", SIDES[index] === this.side()));
      if (this.gains === null) return;
      this.gains.forEach((gain, index) => {
        gain.gain.setTargetAtTime(this.level(index), context.currentTime, FADE_SECONDS / 3);
      });
    }

    tick() {
      if (this.began === null) return;
      this.show();
      requestAnimationFrame(() => this.tick());
    }

    show() {
      const position = this.position();
      this.seekBar.value = position;
      this.clock.textContent = `${position.toFixed(1)} / ${this.seconds.toFixed(1)} s`;
      const left = this.plotLeft + this.plotWidth * (position / this.seconds);
      this.cursors.forEach((cursor) => {
        cursor.hidden = false;
        cursor.style.left = `${100 * left}%`;
      });
    }
  }

  document.documentElement.classList.add("js");
  document.querySelectorAll(".sound").forEach((root) => players.push(new Player(root)));
})();
