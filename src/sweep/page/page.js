#include "sweep/page_parts.h"

namespace ptq::sweep {

const char* const kPageScript = R"js(
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
    `${data.skipped.length} combinations that were skipped, and why`;
  for (const [number, combination, reason] of data.skipped) {
    const line = make('tr');
    line.append(make('td', number, 'number'), make('td', combination), make('td', reason));
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
)js";

}  // namespace ptq::sweep
