"use strict";
// One test after the other: decode what a trial needs, let it be heard, take the answer down.
const data = JSON.parse(document.getElementById("data").textContent);
const REFERENCE = "reference", ANCHOR = "low anchor";
const element = (id) => document.getElementById(id);
let context = null, player = null, round = null, trial = null;

function random(count) {
  return crypto.getRandomValues(new Uint32Array(1))[0] % count;
}

function shuffled(list) {
  const mixed = [...list];
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    const other = random(last + 1);
    [mixed[last], mixed[other]] = [mixed[other], mixed[last]];
  }
  return mixed;
}

function bytes(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)).buffer;
}

// All sounds of a trial run in step, and all but one of them are silent: switching is instant and keeps the place.
class Player {
  constructor(buffers) {
    this.buffers = buffers;
    this.voices = null;
    this.heard = new Set();
  }
  hear(index) {
    this.heard.add(index);
    if (!this.voices) {
      const when = context.currentTime + 0.03;
      this.voices = this.buffers.map((buffer) => this.voice(buffer, when));
      this.voices[index].level.gain.setValueAtTime(1, when);
      return;
    }
    this.voices.forEach(({level}, at) => {
      level.gain.cancelScheduledValues(0);
      level.gain.setTargetAtTime(at === index ? 1 : 0, context.currentTime, 0.004);
    });
  }
  voice(buffer, when) {
    const source = new AudioBufferSourceNode(context, {buffer, loop: true});
    const level = new GainNode(context, {gain: 0});
    source.connect(level).connect(context.destination);
    source.start(when);
    return {source, level};
  }
  stop() {
    (this.voices || []).forEach(({source}) => source.stop());
    this.voices = null;
  }
}

function abxTrials() {
  const all = [];
  data.items.forEach((item) => {
    Object.keys(item.sounds).filter((label) => label !== REFERENCE && label !== ANCHOR).forEach((candidate) => {
      for (let n = 0; n < data.trials; n += 1) all.push({item, candidate, xIsReference: random(2) === 0});
    });
  });
  return shuffled(all);
}

async function start(kind) {
  try {
    element("trouble").textContent = "";
    context = context || new AudioContext();
    await context.resume();
    const trials = kind === "abx" ? abxTrials() : shuffled(data.items).map((item) => ({item}));
    round = {kind, trials, at: 0, answers: [], started: new Date().toISOString()};
    show("trial");
    element("abx").hidden = kind !== "abx";
    element("ratings").hidden = kind === "abx";
    await open();
  } catch (error) {
    element("trouble").textContent = `The sounds can't be played here: ${error.message}`;
  }
}

function show(id) {
  ["intro", "trial", "done"].forEach((each) => { element(each).hidden = each !== id; });
}

async function open() {
  trial = round.trials[round.at];
  const of = `${round.kind === "abx" ? "Trial" : "Sound"} ${round.at + 1} of ${round.trials.length}`;
  element("progress").textContent = of;
  if (round.kind === "abx") {
    trial.labels = [REFERENCE, trial.candidate];
    trial.labels.push(trial.labels[trial.xIsReference ? 0 : 1]);
  } else {
    trial.labels = [REFERENCE, ...shuffled(Object.keys(trial.item.sounds))];
  }
  const decoded = {};
  for (const label of new Set(trial.labels)) {
    decoded[label] = await context.decodeAudioData(bytes(trial.item.sounds[label]));
  }
  player = new Player(trial.labels.map((label) => decoded[label]));
  trial.began = performance.now();
  (round.kind === "abx" ? drawAbx : drawRatings)();
  enable();
}

function soundButton(text, key, index) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.sound = index;
  button.setAttribute("aria-pressed", "false");
  const keyboard = document.createElement("kbd");
  keyboard.textContent = key;
  button.append(text, " ", keyboard);
  button.addEventListener("click", () => hear(index));
  return button;
}

function drawAbx() {
  element("question").textContent = "Is X the same as A, or as B?";
  element("hint").textContent = "Listen to all three; they repeat until you answer.";
  const names = [["A: reference", "A"], ["B: candidate", "B"], ["X: which?", "X"]];
  document.querySelector("#abx .sounds").replaceChildren(...names.map(([text, key], n) => soundButton(text, key, n)));
}

function drawRatings() {
  element("question").textContent = "How close is each to the reference? One of them is the reference itself.";
  element("hint").textContent = "Listen to each; arrow keys move a slider that has the focus.";
  const rows = trial.labels.map((label, n) => {
    const row = document.createElement("div");
    row.className = "rated";
    row.append(soundButton(n === 0 ? "Reference" : `Sound ${n}`, String(n), n));
    if (n > 0) row.append(...slider(n));
    return row;
  });
  document.querySelector("#ratings .sounds").replaceChildren(...rows);
}

function slider(n) {
  const input = document.createElement("input");
  Object.assign(input, {type: "range", min: 0, max: 100, value: 50});
  input.setAttribute("aria-label", `Rating of sound ${n}`);
  const output = document.createElement("output");
  output.textContent = "50";
  input.addEventListener("input", () => { output.textContent = input.value; });
  return [input, output];
}

function hear(index) {
  if (!player) return;
  player.hear(index);
  document.querySelectorAll("#trial [data-sound]").forEach((button) => {
    if (button.offsetParent) button.setAttribute("aria-pressed", String(Number(button.dataset.sound) === index));
  });
  enable();
}

function stop() {
  if (!player) return;
  player.stop();
  document.querySelectorAll("#trial [data-sound]").forEach((button) => button.setAttribute("aria-pressed", "false"));
}

function enable() {
  const ready = player.heard.size === trial.labels.length;
  ["is-a", "is-b", "next"].forEach((id) => { element(id).disabled = !ready; });
}

async function answered(answer) {
  stop();
  player = null;  // until the next sounds are there, keys and buttons do nothing
  ["is-a", "is-b", "next"].forEach((id) => { element(id).disabled = true; });
  const seconds = Math.round((performance.now() - trial.began) / 100) / 10;
  round.answers.push({sound: trial.item.name, gain_db: trial.item.gain_db, ...answer, seconds});
  round.at += 1;
  if (round.at === round.trials.length) finish();
  else await open();
}

function answerAbx(saidReference) {
  const words = (isReference) => isReference ? REFERENCE : "candidate";
  return answered({
    candidate: trial.candidate, x: words(trial.xIsReference), answer: words(saidReference),
    correct: trial.xIsReference === saidReference,
  });
}

function answerRatings() {
  const scores = {};
  document.querySelectorAll("#ratings input").forEach((input, n) => {
    scores[n + 1] = Number(input.value);
  });
  const named = Object.fromEntries(trial.labels.slice(1).map((label, n) => [label, scores[n + 1]]));
  return answered({scores: named});
}

// How likely it is to have at least as many right by guessing.
function chance(correct, trials) {
  let term = 0.5 ** trials, sum = 0;
  for (let right = 0; right <= trials; right += 1) {
    if (right >= correct) sum += term;
    term *= (trials - right) / (right + 1);
  }
  return Math.min(1, sum);
}

function groups(list, key) {
  const found = new Map();
  list.forEach((each) => found.set(key(each), [...(found.get(key(each)) || []), each]));
  return [...found];
}

function summary() {
  if (round.kind === "abx") {
    return groups(round.answers, (answer) => answer.candidate).map(([candidate, answers]) => {
      const correct = answers.filter((answer) => answer.correct).length;
      return {candidate, trials: answers.length, correct, chance_by_guessing: chance(correct, answers.length)};
    });
  }
  const scores = round.answers.flatMap((answer) => Object.entries(answer.scores));
  return groups(scores, ([label]) => label).map(([label, each]) => (
    {label, sounds: each.length, mean_score: each.reduce((sum, [, score]) => sum + score, 0) / each.length}
  ));
}

function cells(kind, values) {
  const row = document.createElement("tr");
  row.append(...values.map((value) => {
    const cell = document.createElement(kind);
    cell.textContent = typeof value === "number" ? String(Number(value.toPrecision(3))) : value;
    return cell;
  }));
  return row;
}

function finish() {
  const rows = summary();
  const results = {
    title: data.title, kind: round.kind, listener: element("listener").value, started: round.started,
    finished: new Date().toISOString(), summary: rows, answers: round.answers,
  };
  const heads = Object.keys(rows[0]).map((name) => name.replaceAll("_", " "));
  document.querySelector("#done thead").replaceChildren(cells("th", heads));
  document.querySelector("#done tbody").replaceChildren(...rows.map((row) => cells("td", Object.values(row))));
  element("download").href = `data:application/json;charset=utf-8,${encodeURIComponent(JSON.stringify(results, null, 2))}`;
  show("done");
  document.querySelector("#done h2").focus();
}

function press(key) {
  const sound = round.kind === "abx" ? "abx".indexOf(key) : (/^\d$/.test(key) ? Number(key) : -1);
  if (sound >= 0 && sound < trial.labels.length) hear(sound);
  else if (key === "s") stop();
  else if (round.kind === "abx" && key === "1") element("is-a").click();
  else if (round.kind === "abx" && key === "2") element("is-b").click();
  else if (round.kind !== "abx" && key === "enter") element("next").click();
  else return false;
  return true;
}

element("start-abx").addEventListener("click", () => start("abx"));
element("start-ratings").addEventListener("click", () => start("ratings"));
element("is-a").addEventListener("click", () => answerAbx(true));
element("is-b").addEventListener("click", () => answerAbx(false));
element("next").addEventListener("click", answerRatings);
element("stop").addEventListener("click", stop);
element("again").addEventListener("click", () => show("intro"));
document.addEventListener("keydown", (event) => {
  if (element("trial").hidden || !player || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.key === "Enter" && event.target.tagName === "BUTTON") return;
  if (press(event.key.toLowerCase())) event.preventDefault();
});
