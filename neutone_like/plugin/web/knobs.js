// A control for each parameter, in its own unit: a slider with a box to type into, or a list of labels. Frequencies over more
// than a decade slide by octaves, as they do in the plugins.

const digitsFor = span => (span >= 500 ? 0 : span >= 20 ? 1 : span >= 2 ? 2 : 3);
const FREQUENCIES = ['Hz', 'kHz'];
const KEYS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }; // hundredths of the range

// Builds them into `place`. `changed` gets a parameter's place and its value.
export function buildKnobs(place, parameters, changed) {
  const knobs = parameters.map((parameter, index) => {
    const tell = value => changed(index, value);
    return parameter.labels.length > 0 ? choice(parameter, index, tell) : slider(parameter, index, tell);
  });
  place.append(...knobs.map(knob => knob.element));
  return { reset: () => knobs.forEach(knob => knob.set(knob.start)) };
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function framed(parameter, index, value, control) {
  const id = `knob-${index}`;
  const name = make('label', { htmlFor: id, textContent: parameter.name });
  const about = make('p', { className: 'fine', id: `${id}-about`, textContent: parameter.description });
  control.id = id;
  control.setAttribute('aria-describedby', about.id);
  return make('div', { className: 'knob' }, make('div', { className: 'knob-head' }, name, ...value), control, about);
}

function choice(parameter, index, tell) {
  const select = make('select', {}, ...parameter.labels.map((label, value) => make('option', { value, textContent: label })));
  const set = value => {
    select.value = value;
    tell(value);
  };
  select.value = parameter.default;
  select.addEventListener('change', () => tell(Number(select.value)));
  return { element: framed(parameter, index, [], select), set, start: parameter.default };
}

// Between a value and its place on the slider, 0 to 1; and how many decimals it is shown with: by octaves the small values
// have as much room as the large ones, and so as many digits.
function scaleOf({ minimum, maximum, unit }) {
  const ratio = maximum / minimum;
  if (FREQUENCIES.includes(unit) && minimum > 0 && ratio > 10) {
    return {
      place: value => Math.log(value / minimum) / Math.log(ratio),
      value: place => minimum * ratio ** place,
      digits: value => Math.min(9, Math.max(0, 2 - Math.floor(Math.log10(value)))),
    };
  }
  const span = maximum - minimum;
  return {
    place: value => (value - minimum) / span,
    value: place => minimum + place * span,
    digits: () => digitsFor(span),
  };
}

function slider(parameter, index, tell) {
  const { minimum, maximum, unit } = parameter;
  const scale = scaleOf(parameter);
  const range = make('input', { type: 'range', min: 0, max: 1, step: 'any' });
  const box = make('input', { type: 'text', inputMode: 'decimal', autocomplete: 'off', className: 'value' });
  box.setAttribute('aria-label', `${parameter.name}${unit ? `, in ${unit}` : ''}`);
  let value = parameter.default;
  const show = () => {
    range.value = scale.place(value);
    box.value = value.toFixed(scale.digits(value));
    range.setAttribute('aria-valuetext', `${box.value} ${unit}`.trim());
  };
  const set = wanted => {
    value = Math.min(maximum, Math.max(minimum, wanted));
    show();
    tell(value);
  };
  range.addEventListener('input', () => set(scale.value(Number(range.value))));
  range.addEventListener('dblclick', () => set(parameter.default));
  range.addEventListener('keydown', event => {
    const hundredths = KEYS[event.key];
    const wanted = { Home: minimum, End: maximum, Delete: parameter.default }[event.key] ??
      (hundredths === undefined ? undefined : scale.value(scale.place(value) + hundredths / 100));
    if (wanted === undefined) return;
    event.preventDefault();
    set(wanted);
  });
  box.addEventListener('change', () => {
    const typed = Number(box.value.replace(',', '.').trim() || NaN);
    if (Number.isFinite(typed)) set(typed);
    else show();
  });
  box.addEventListener('focus', () => box.select());
  show();
  const shown = [make('span', { className: 'amount' }, box, make('span', { className: 'unit', textContent: unit }))];
  return { element: framed(parameter, index, shown, range), set, start: parameter.default };
}
