'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const at = Object.fromEntries(data.columns.map((name, i) => [name, i]));
const best = new Set(data.best);
const rows = data.rows.map((cells, i) => ({ cells, i, best: best.has(i) }));
const get = (row, name) => row.cells[at[name]];
const words = name => name.replace(/_/g, ' ').replace('configuration hash', 'options hash')
  .replace('top1', 'top\u20111').replace('top5', 'top\u20115')
  .replace('configuration', 'no.').replace('interval ', '');
const byId = id => document.getElementById(id);
const state = { sort: 'configuration', down: false, filter: '', all: false, best: false,
  across: '', colour: '' };

function isNumeric(name) {
  const cells = rows.map(row => get(row, name)).filter(cell => cell !== '');
  return cells.length > 0 && cells.every(cell => isFinite(Number(cell)));
}
const numeric = Object.fromEntries(data.columns.map(name => [name, isNumeric(name)]));
const rank = cell => (cell !== '' && isFinite(Number(cell)) ? [0, Number(cell)] : [1, cell]);
function compare(a, b) {
  const [kind, value] = rank(a);
  const [otherKind, other] = rank(b);
  if (kind !== otherKind) return kind - otherKind;
  return value < other ? -1 : value > other ? 1 : 0;
}

// Words that the row holds, or column=value.
function passes(row, filter) {
  return filter.toLowerCase().split(/\s+/).filter(word => word).every(word => {
    const sign = word.indexOf('=');
    const name = word.slice(0, sign).replace(/-/g, '_');
    if (sign > 0 && name in at) return get(row, name).toLowerCase() === word.slice(sign + 1);
    return row.cells.some(cell => cell.toLowerCase().includes(word));
  });
}
function shownRows() {
  return rows.filter(row => (!state.best || row.best) && passes(row, state.filter));
}

function make(tag, text, className) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

function fillSummary() {
  const models = [...new Set(rows.map(row => get(row, 'model')))];
  const count = Math.max(0, ...rows.map(row => Number(get(row, 'count'))));
  const failed = rows.filter(row => get(row, 'status') === 'failed').length;
  byId('lead').textContent = `Top-1 in percent on ${count} images; differences to the float `
    + 'network in points, with 95 % intervals paired over images.';
  const card = (value, label, bad) => {
    const div = make('div');
    div.append(make('b', value, bad ? 'bad' : ''), make('span', label));
    byId('cards').append(div);
  };
  card(rows.length, rows.length === 1 ? 'configuration' : 'configurations');
  for (const model of models) {
    const done = rows.filter(row => get(row, 'model') === model && get(row, 'status') === 'done');
    if (done.length === 0) continue;
    const top = done.reduce((a, b) =>
      (Number(get(b, 'quant_top1')) > Number(get(a, 'quant_top1')) ? b : a));
    card(`${Number(get(top, 'quant_top1')).toFixed(2)} %`,
      `best of ${model}, float ${Number(get(top, 'float_top1')).toFixed(2)} %`);
  }
  if (failed > 0) card(failed, 'failed', true);
  byId('footer').textContent = `ptq-eval ${data.version}. Data: results.csv beside this page.`;
}

function cellOf(row, name, low, high) {
  const text = get(row, name);
  const cell = make('td', text, numeric[name] ? 'number' : '');
  if (name === 'quant_top1' && text !== '') {
    const share = high > low ? (Number(text) - low) / (high - low) * 100 : 100;
    cell.classList.add('bar');
    cell.style.backgroundImage =
      `linear-gradient(to right, var(--bar) ${share.toFixed(1)}%, transparent 0)`;
    if (row.best) cell.replaceChildren(make('span', `\u2605 ${text}`, 'best'));
  }
  if (name === 'error' || name === 'warnings') cell.classList.add('message');
  if (name === 'error' || text === 'failed') cell.classList.add('bad');
  return cell;
}

// What matters first; what is the same in all rows not at all.
const leading = ['configuration', 'model', 'quant_top1', 'difference', 'interval_low',
  'interval_high', 'agreement'];
const differs = name => new Set(rows.map(row => get(row, name))).size > 1;
const telling = [...leading, ...data.telling.filter(name => !leading.includes(name))]
  .filter(name => differs(name) || !['model', 'float_top1', 'count'].includes(name));

function fillTable() {
  const columns = state.all ? data.columns : telling;
  const shown = shownRows().sort((a, b) => {
    const order = compare(get(a, state.sort), get(b, state.sort));
    return (state.down ? -order : order) || a.i - b.i;
  });
  const head = make('tr');
  for (const name of columns) {
    const cell = make('th', words(name), numeric[name] ? 'number' : '');
    cell.dataset.column = name;
    if (name === state.sort) cell.ariaSort = state.down ? 'descending' : 'ascending';
    cell.onclick = () => {
      state.down = state.sort === name ? !state.down : false;
      state.sort = name;
      update();
    };
    head.append(cell);
  }
  const tops = rows.map(row => get(row, 'quant_top1')).filter(cell => cell !== '').map(Number);
  const low = Math.min(...tops);
  const high = Math.max(...tops);
  const body = shown.map(row => {
    const line = make('tr');
    line.dataset.row = row.i;
    line.append(...columns.map(name => cellOf(row, name, low, high)));
    return line;
  });
  document.querySelector('#table thead').replaceChildren(head);
  document.querySelector('#table tbody').replaceChildren(...body);
  byId('shown').textContent = `${shown.length} of ${rows.length}; \u2605 best by hardware features`;
}

function fillSkipped() {
  byId('skipped-section').hidden = data.skipped.length === 0;
  document.querySelector('#skipped-section summary').textContent =
    'Why combinations were skipped, how many, and the first of them';
  for (const [reason, count, first] of data.skipped) {
    const line = make('tr');
    line.append(make('td', reason), make('td', count, 'number'), make('td', first));
    byId('skipped').append(line);
  }
}

function choose(row) {
  for (const old of document.querySelectorAll('.chosen')) old.classList.remove('chosen');
  for (const element of document.querySelectorAll(`[data-row="${row.i}"]`)) {
    element.classList.add('chosen');
    if (element.tagName === 'TR') element.scrollIntoView({ block: 'center' });
  }
}

// The state is in the address, so that a view can be passed on.
function readAddress() {
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    if (name in state) state[name] = typeof state[name] === 'boolean' ? value === 'true' : value;
  }
}
function writeAddress() {
  const address = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    if (value !== '' && value !== false) address.set(name, value);
  }
  history.replaceState(null, '', `#${address}`);
}

function update() {
  writeAddress();
  fillTable();
  drawPlots(shownRows());
}

function start() {
  const swept = data.options.filter(name => new Set(rows.map(row => get(row, name))).size > 1);
  const choices = swept.length > 0 ? swept : data.options;
  state.across = choices.includes('weight_bit_width') ? 'weight_bit_width' : choices[0];
  state.colour = choices.find(name => name !== state.across) || choices[0];
  readAddress();
  if (!(state.sort in at)) state.sort = 'configuration';
  for (const id of ['across', 'colour']) {
    if (!choices.includes(state[id])) state[id] = choices[0];
    for (const name of choices) byId(id).append(new Option(words(name), name));
    byId(id).value = state[id];
  }
  for (const id of ['across', 'colour', 'filter']) {
    byId(id).value = state[id];
    byId(id).oninput = event => { state[id] = event.target.value; update(); };
  }
  for (const id of ['all', 'best']) {
    byId(id).checked = state[id];
    byId(id).onchange = event => { state[id] = event.target.checked; update(); };
  }
  fillSummary();
  fillSkipped();
  update();
}

const palette = ['#2f6fde', '#e07a1f', '#1a9a6c', '#b8479b', '#7a5cd6', '#c9a227', '#0f9bb3', '#8a4b2d'];
const size = { width: 620, height: 330, left: 52, right: 14, top: 16, bottom: 44 };

function svg(tag, attributes, text) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// Round numbers between two values, about six of them.
function ticks(low, high) {
  const rough = (high - low) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(value => value >= rough);
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high; ++i) found.push(i * step);
  return { found, digits: Math.max(0, -Math.floor(Math.log10(step))) };
}

function describe(row) {
  const swept = data.options.filter(name => data.telling.includes(name));
  const lines = swept.map(name => `${words(name)}: ${get(row, name)}`);
  const top = `${get(row, 'quant_top1')} % (float ${get(row, 'float_top1')} %), difference `
    + `${get(row, 'difference')} (${get(row, 'interval_low')} to ${get(row, 'interval_high')})`;
  return `${top}\n${lines.join('\n')}`;
}

function dot(row, x, y, colour) {
  const shape = svg('circle', { class: 'dot', cx: x, cy: y, r: row.best ? 5.4 : 4, fill: colour,
    'data-row': row.i });
  const hint = byId('hint');
  shape.onmousemove = event => {
    hint.textContent = describe(row);
    hint.style.display = 'block';
    hint.style.left = `${Math.min(event.clientX + 14, innerWidth - 440)}px`;
    hint.style.top = `${event.clientY + 14}px`;
  };
  shape.onmouseleave = () => { hint.style.display = 'none'; };
  shape.onclick = () => choose(row);
  return shape;
}

// Side by side where points would hide each other.
function offsets(points, width) {
  const radius = 5.8;
  const placed = [];
  for (const point of [...points].sort((a, b) => a.y - b.y)) {
    const isFree = x => placed.every(other =>
      Math.hypot(other.x - x, other.y - point.y) >= 2 * radius);
    let x = 0;
    for (let i = 1; !isFree(x) && Math.abs(x) < width / 2; ++i) {
      x = (i % 2 === 1 ? 1 : -1) * Math.ceil(i / 2) * radius;
    }
    point.x = Math.max(-width / 2, Math.min(width / 2, x));
    placed.push(point);
  }
}

function plot(model, shown, colours) {
  const all = rows.filter(row => get(row, 'model') === model && get(row, 'quant_top1') !== '');
  const groups = [...new Set(all.map(row => get(row, state.across)))].sort(compare);
  const floats = all.map(row => Number(get(row, 'float_top1'))).filter(value => value > 0);
  const tops = all.map(row => Number(get(row, 'quant_top1')));
  let low = Math.min(...tops, ...floats);
  let high = Math.max(...tops, ...floats);
  const room = Math.max(0.06 * (high - low), 0.1);
  [low, high] = [Math.max(0, low - room), Math.min(100, high + room)];
  const inner = { width: size.width - size.left - size.right,
    height: size.height - size.top - size.bottom };
  const yOf = value => size.top + inner.height * (1 - (value - low) / (high - low));
  const figure = make('figure');
  figure.append(make('figcaption', model));
  const picture = svg('svg', { viewBox: `0 0 ${size.width} ${size.height}`, role: 'img',
    'aria-label': `Top-1 of ${model}` });
  const { found, digits } = ticks(low, high);
  for (const value of found) {
    picture.append(svg('line', { class: 'axis', x1: size.left, x2: size.width - size.right,
      y1: yOf(value), y2: yOf(value) }));
    picture.append(svg('text', { x: size.left - 8, y: yOf(value) + 4, 'text-anchor': 'end' },
      value.toFixed(digits)));
  }
  if (floats.length > 0) {
    const y = yOf(floats[0]);
    picture.append(svg('line', { class: 'float', x1: size.left, x2: size.width - size.right,
      y1: y, y2: y }));
    picture.append(svg('text', { x: size.left + 4, y: y - 5 },
      `float ${floats[0].toFixed(2)}`));
  }
  const width = inner.width / groups.length;
  groups.forEach((group, i) => {
    const centre = size.left + width * (i + 0.5);
    picture.append(svg('text', { x: centre, y: size.height - 24, 'text-anchor': 'middle' }, group));
    const points = shown.filter(row => get(row, 'model') === model
      && get(row, state.across) === group && get(row, 'quant_top1') !== '')
      .map(row => ({ row, y: yOf(Number(get(row, 'quant_top1'))) }));
    offsets(points, width * 0.86);
    for (const { row, x, y } of points) {
      picture.append(dot(row, centre + x, y, colours.get(get(row, state.colour))));
    }
  });
  picture.append(svg('text', { x: size.left + inner.width / 2, y: size.height - 5,
    'text-anchor': 'middle' }, words(state.across)));
  figure.append(picture);
  return figure;
}

function drawPlots(shown) {
  const values = [...new Set(rows.map(row => get(row, state.colour)))].sort(compare);
  const colours = new Map(values.map((value, i) => [value, palette[i % palette.length]]));
  const models = [...new Set(rows.filter(row => get(row, 'quant_top1') !== '')
    .map(row => get(row, 'model')))];
  size.width = Math.min(models.length === 1 ? 1220 : 620, byId('plots').clientWidth);
  byId('plots').replaceChildren(...models.map(model => plot(model, shown, colours)));
  byId('legend').replaceChildren(make('span', `${words(state.colour)}:`), ...values.map(value => {
    const item = make('span');
    const spot = make('i');
    spot.style.background = colours.get(value);
    item.append(spot, value);
    return item;
  }));
}

start();
