'use strict';
const report = JSON.parse(document.getElementById('data').textContent);

// ---- words ----
const minus = (words) => words.replace(/^-/, '\u2212');
const fixed = (value, digits) => value === null || value === undefined ? '' : minus(value.toFixed(digits));
const percent = (fraction, digits = 2) => `${fixed(100 * fraction, digits)} %`;
const signed = (value, digits) => `${value >= 0 ? '+' : '\u2212'}${fixed(Math.abs(value), digits)}`;
const short = (value) => value === null || value === undefined ? ''
  : minus(value === 0 ? '0' : Math.abs(value) >= 1e5 || Math.abs(value) < 1e-3
    ? value.toExponential(1) : Number(value.toPrecision(3)).toString());
const ending = (words, most) => words.length > most ? `\u2026${words.slice(words.length - most + 1)}` : words;
const counted = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
/// 150 dB is what equal values count as (eval/sqnr.h).
const decibels = (value) => value === null || value === undefined ? '\u221e' : value >= 150 ? '\u2265 150' : fixed(value, 1);

// ---- elements ----
const SVG = 'http://www.w3.org/2000/svg';
function element(name, attributes = {}, children = []) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  for (const child of [].concat(children)) made.append(child);
  return made;
}
function shape(name, attributes = {}, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}
function hinted(made, words) {
  made.append(shape('title', {}, words));
  return made;
}
const section = (id) => document.getElementById(id);
const note = (words) => element('p', { class: 'note' }, words);
function drop(id, hint) {
  if (!hint) return section(id).remove();
  section(id).append(note(hint));
}
/// Of the charts: what a section is wide inside.
let WIDTH = 0, NARROW = false;
function measure() {
  const box = section('verdict'), style = getComputedStyle(box);
  WIDTH = Math.max(240, Math.floor(box.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight)));
  NARROW = WIDTH < 620;
}
function drawing(height, width = WIDTH) {
  return shape('svg', { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img' });
}
function legend(entries) {
  const box = element('div', { class: 'legend' });
  for (const [words, colour] of entries) {
    const mark = element('i');
    mark.style.background = `var(--${colour})`;
    box.append(element('span', {}, [mark, words]));
  }
  return box;
}
/// rows: arrays of cells; a cell is a text, or {text, class}.
function table(columns, rows) {
  const cell = (tag, content, column) => {
    const { text, ...rest } = typeof content === 'object' ? content : { text: content };
    const kind = [column.number ? 'number' : column.layer ? 'layer' : '', rest.class || ''].join(' ').trim();
    return element(tag, kind ? { class: kind } : {}, text);
  };
  const head = element('tr', {}, columns.map((column) => cell('th', column.name, column)));
  const body = rows.map((row) => element('tr', {}, row.map((content, i) => cell('td', content, columns[i]))));
  return element('div', { class: 'scroll' },
    element('table', {}, [element('thead', {}, head), element('tbody', {}, body)]));
}
const number = (name) => ({ name, number: true });
const text = (name) => ({ name });
/// Names of layers, which are long: telephones break them.
const named = (name) => ({ name, layer: true });

/// Names on the left, values as words on the right, one row each; draw(row, y, at) puts marks at
/// x = at(value).
function rowChart(rows, { name, value, alarms = () => false, draw, low, high, log = false, whole = false, height = 24 }) {
  const longest = (texts) => Math.max(...texts.map((words) => words.length));
  const left = Math.min(NARROW ? 120 : 330, 14 + 6.6 * longest(rows.map(name)));
  const right = 16 + 6.8 * longest(rows.map(value));
  const fit = Math.floor((left - 14) / 6.4);
  const span = WIDTH - left - right;
  const place = (number) => log ? Math.log10(number) : number;
  const at = (number) => left + span * (place(number) - place(low)) / ((place(high) - place(low)) || 1);
  const svg = drawing(rows.length * height + 26);
  const bottom = rows.length * height + 4;
  for (const tick of niceTicks(low, high, { log, whole })) {
    svg.append(shape('line', { x1: at(tick), x2: at(tick), y1: 0, y2: bottom, class: 'axis' }));
    svg.append(shape('text', { x: at(tick), y: bottom + 15, 'text-anchor': 'middle' }, log ? power(tick) : short(tick)));
  }
  rows.forEach((row, i) => {
    const y = i * height + height / 2;
    const words = name(row);
    svg.append(hinted(shape('text', { x: 0, y: y + 4, class: 'name' }, ending(words, fit)), words));
    draw(svg, row, y, at);
    svg.append(shape('text', { x: WIDTH - right + 12, y: y + 4, class: alarms(row) ? 'bad' : 'value' }, value(row)));
  });
  return element('div', { class: 'scroll' }, svg);
}
/// A power of ten.
function power(value) {
  const exponent = Math.round(Math.log10(value));
  if (Math.abs(exponent) < 4) return short(value);
  return `10${[...String(exponent)].map((digit) => '\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079'[digit] ?? '\u207b').join('')}`;
}
function niceTicks(low, high, { log = false, whole = false } = {}) {
  if (log) {
    const first = Math.ceil(Math.log10(low)), last = Math.floor(Math.log10(high));
    const step = Math.max(1, Math.ceil((last - first) / (NARROW ? 3 : 6)));
    const ticks = [];
    for (let e = first; e <= last; e += step) ticks.push(10 ** e);
    return ticks;
  }
  const raw = (high - low) / (NARROW ? 3 : 6) || 1;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = Math.max(whole ? 1 : 0, [1, 2, 5, 10].map((m) => m * unit).find((m) => m >= raw));
  const ticks = [];
  for (let t = Math.ceil(low / step) * step; t <= high + 1e-9 * step; t += step) ticks.push(Number(t.toPrecision(12)));
  return ticks;
}
/// A pair of values joined by a line: before is grey, after coloured.
function dumbbell(svg, y, at, before, after, words, worse) {
  svg.append(shape('line', { x1: at(before), x2: at(after), y1: y, y2: y, class: 'link' }));
  svg.append(hinted(shape('circle', { cx: at(before), cy: y, r: 4, class: 'before' }), words));
  svg.append(hinted(shape('circle', { cx: at(after), cy: y, r: 5, class: worse ? 'bad' : 'mark' }), words));
}

// ---- parts ----
const of_float = report.float, quantized = report.quantized;
function header() {
  const model = report.resolved.model_file.split('/').pop();
  const { weight_bit_width: w, act_bit_width: a, target_backend: backend } = report.config;
  const activations = a === null || a === 0 ? 'float activations' : `${a}-bit activations`;
  document.getElementById('title').textContent = `${model}: ${w}-bit weights, ${activations}`;
  document.getElementById('lead').textContent =
    `${backend} backend, ${report.config.weight_quant_granularity.replace('_', ' ')} weights, `
    + `${report.calibration.count} calibration images, ${report.count} images evaluated`;
}

function verdict() {
  const box = section('verdict');
  const reasons = [];
  const changed = (report.function || []).filter((row) => !row.is_rounding);
  let state = '', words;
  if (of_float) {
    const lost = of_float.correct - quantized.correct;
    const { low, high } = report.difference;
    words = lost > 0 ? `${lost} of ${of_float.correct} right answers are lost`
      : `As many answers are right as in float: ${of_float.correct}`;
    if (lost < 0) words = `Quantized, ${-lost} more answers are right than the ${of_float.correct} in float`;
    if (lost > 0 && 20 * lost > of_float.correct) state = 'bad';
    else if (high < 0) state = 'warn';
    reasons.push(`Top-1 changes by ${signed(100 * report.difference.top1, 2)} points, 95 % interval `
      + `${signed(100 * low, 2)} to ${signed(100 * high, 2)}` + (low <= 0 && high >= 0 ? ': chance can explain it.' : ': more than chance explains.'));
    reasons.push(`${report.agreeing} of ${report.count} predictions are those of the float network (${percent(report.agreement)}).`);
  } else {
    words = `${quantized.correct} of ${report.count} answers are right; float was not evaluated`;
  }
  for (const row of changed) {
    state = 'bad';
    const by = row.passes.length ? ` (${row.passes.join(', ')})` : '';
    reasons.unshift(`The loss does not begin with quantization: ${row.step}${by} already changes the float network; `
      + `${row.agreeing} of ${row.images} calibration images keep their answer, SQNR ${decibels(row.sqnr_db)} dB.`);
  }
  const harmful = (report.attribution || []).filter((row) => row.harms);
  for (const row of harmful) {
    reasons.push(`${row.stage} costs ${fixed(-100 * row.change.top1, 2)} points, more than chance explains.`);
  }
  if (report.guards.length) {
    state = 'bad';
    reasons.push(`${report.guards.length} ${report.guards.length === 1 ? 'guard says' : 'guards say'} that something looks broken.`);
  }
  const wide = outliers();
  if (wide.length && state) {
    const [first] = wide;
    reasons.push(`One channel decides the scale of all others in ${counted(wide.length, 'activation quantizer')}, first in ${first.name}: `
      + `channel ${first.range.widest_channel} is ${wider(first.range)} as wide as the median channel.`);
  }
  if (report.gate) reasons.push(`Gate: ${report.gate.verdict}.`);
  const worst = worstNodes()[0];
  if (worst && state) reasons.push(`The noisiest node is ${worst.name}: ${decibels(worst.median_channel_sqnr_db)} dB in its median channel.`);
  if (state) box.classList.add(state);
  box.append(element('b', {}, words), element('ul', {}, reasons.map((reason) => element('li', {}, reason))));
}

function cards() {
  const box = section('cards');
  const card = (value, words) => box.append(element('div', {}, [element('b', {}, value), element('span', {}, words)]));
  if (of_float) card(percent(of_float.top1), `float top-1 (${of_float.correct} of ${report.count})`);
  card(percent(quantized.top1), `quantized top-1 (${quantized.correct} of ${report.count})`);
  if (report.difference) {
    card(signed(100 * report.difference.top1, 2),
      `points, ${signed(100 * report.difference.low, 2)} to ${signed(100 * report.difference.high, 2)}`);
    card(percent(report.agreement), 'of predictions are equal');
  }
  card(percent(quantized.top5), 'quantized top-5');
  const truth = report.truth;
  if (truth) card(`${fixed(truth.packed_bytes / 1048576, 2)} MiB`, `packed, ${fixed(truth.float_bytes / 1048576, 2)} MiB in float`);
  card(report.guards.length, report.guards.length === 1 ? 'guard raised' : 'guards raised');
}

function warnings() {
  if (!report.warnings.length) return drop('warnings');
  section('warnings').append(element('ul', { class: 'plain' }, report.warnings.map((words) =>
    element('li', report.guards.includes(words) ? { class: 'guard' } : {}, words))));
}

function stages() {
  const rows = [];
  if (of_float) rows.push({ stage: 'float', correct: of_float.correct });
  for (const row of report.attribution || []) rows.push(row);
  if (!report.attribution) {
    if (!of_float) return drop('stages');
    rows.push({ stage: 'quantized', correct: quantized.correct, change: report.difference });
    section('stages').append(note('Run with --attribute to see what each stage costs.'));
  } else {
    section('stages').append(note('Right answers on the validation images after each stage; the bar is what the stage changed, the line its 95 % interval.'));
  }
  const all = rows.flatMap((row, i) => [row.correct, ...(row.change && i ? [row.change.low, row.change.high].map((part) => rows[i - 1].correct + part * report.count) : [])]);
  const top = Math.min(report.count, Math.max(...all) + 0.02 * report.count);
  const low = Math.max(0, Math.min(...all) - 0.03 * report.count);
  const changed = (row) => row.change ? row.correct - rows[rows.indexOf(row) - 1].correct : null;
  section('stages').append(rowChart(rows, {
    name: (row) => row.stage, low, high: top, height: 30, whole: true, alarms: (row) => row.harms,
    value: (row) => `${row.correct}${changed(row) === null ? '' : ` (${signed(changed(row), 0)})`}${row.sqnr_db === undefined ? '' : `, ${decibels(row.sqnr_db)} dB`}`,
    draw: (svg, row, y, at) => {
      const i = rows.indexOf(row);
      const before = i && row.change ? rows[i - 1].correct : low;
      const change = row.correct - before;
      const kind = !row.change ? 'pale' : row.harms || (row.change.high < 0) ? 'bad' : change < 0 ? 'warn' : 'good';
      const x = Math.min(at(before), at(row.correct));
      svg.append(hinted(shape('rect', { x, y: y - 8, width: Math.max(2, Math.abs(at(row.correct) - at(before))), height: 16, class: kind, rx: 2 }), `${row.stage}: ${row.correct}`));
      if (row.change) {
        const ends = [row.change.low, row.change.high].map((part) => at(Math.min(top, Math.max(low, before + part * report.count))));
        svg.append(shape('line', { x1: ends[0], x2: ends[1], y1: y, y2: y, class: 'whisker' }));
      }
    },
  }));
}

function floatFunction() {
  const rows = report.function || [];
  const choice = report.relu6;
  if (!rows.length && !choice) return drop('function');
  const box = section('function');
  box.append(note('Steps before quantization are to keep what the float network computes. Each is run in float beside the network before it, on calibration images.'));
  if (choice) {
    const replaced = choice.replaced;
    box.append(element('p', {}, (choice.becomes === 'relu6' ? 'ReLU6 was kept.' : 'ReLU6 was replaced by ReLU.')
      + (replaced ? ` ReLU in its place ${replaced.is_rounding ? 'changes nothing but rounding' : 'would change the network'}: ${replaced.agreeing} of ${replaced.images} answers are equal, SQNR ${decibels(replaced.sqnr_db)} dB.` : '')));
  }
  if (!rows.length) return;
  box.append(table([text('step'), number('same answers'), number('mean SQNR dB'), number('lowest SQNR dB'), text('verdict')],
    rows.map((row) => [row.step, `${row.agreeing} of ${row.images}`, decibels(row.sqnr_db), decibels(row.lowest_sqnr_db),
      row.is_rounding ? 'rounding alone' : { text: `changed${row.passes.length ? ` by ${row.passes.join(', ')}` : ''}`, class: 'bad' }])));
}

/// Whether one channel decides the scale of all: of an output or a weight, how much wider its widest
/// channel is than the median.
const is_wide = (range) => range.widest_to_median === null || range.widest_to_median > 20;
const wider = (range) => `${range.widest_to_median === null ? '\u221e' : short(range.widest_to_median)}\u00d7`;
function outliers() {
  const quantizers = new Set((report.activations || []).map((each) => each.name));
  return (report.node_noise || []).filter((node) => quantizers.has(node.name) && is_wide(node.range));
}

function worstNodes() {
  return [...(report.node_noise || [])].filter((node) => node.median_channel_sqnr_db !== null)
    .sort((a, b) => a.median_channel_sqnr_db - b.median_channel_sqnr_db);
}

function noise() {
  const nodes = report.node_noise;
  if (!nodes) return drop('noise', 'Run with --node-sqnr N to see the noise at every node.');
  const box = section('noise');
  const worst = worstNodes().slice(0, 10);
  const height = 290, left = 40, bottom = 224, right = 16;
  const values = nodes.flatMap((node) => [node.sqnr_db, node.median_channel_sqnr_db]).filter((v) => v !== null);
  const low = Math.min(0, ...values), high = Math.max(10, ...values);
  const at = (i) => left + (WIDTH - left - right) * i / Math.max(1, nodes.length - 1);
  const up = (value) => 12 + (bottom - 12) * (high - value) / (high - low);
  const svg = drawing(height);
  for (const tick of niceTicks(low, high)) {
    svg.append(shape('line', { x1: left, x2: WIDTH - right, y1: up(tick), y2: up(tick), class: 'axis' }));
    svg.append(shape('text', { x: left - 6, y: up(tick) + 4, 'text-anchor': 'end' }, short(tick)));
  }
  const path = (key) => nodes.map((node, i) => [i, node[key]]).filter(([, v]) => v !== null)
    .map(([i, v], k) => `${k ? 'L' : 'M'}${fixed(at(i), 1)} ${fixed(up(v), 1)}`).join('');
  svg.append(shape('path', { d: path('sqnr_db'), class: 'faint' }), shape('path', { d: path('median_channel_sqnr_db'), class: 'line' }));
  nodes.forEach((node, i) => {
    if (node.median_channel_sqnr_db === null) return;
    const rank = worst.indexOf(node);
    svg.append(hinted(shape('circle', { cx: at(i), cy: up(node.median_channel_sqnr_db), r: rank < 0 ? 2.2 : 5, class: rank < 0 ? 'mark' : 'bad' }),
      `${node.name} (${node.operation}): median channel ${decibels(node.median_channel_sqnr_db)} dB, all values ${decibels(node.sqnr_db)} dB`));
  });
  const labels = [];
  worst.slice(0, NARROW ? 3 : 10).forEach((node, rank) => {
    const x = at(nodes.indexOf(node)), y = up(node.median_channel_sqnr_db);
    const is_free = (place) => place < height - 20 && labels.every((other) => Math.abs(other.x - x) > 16 || Math.abs(other.y - place) > 12);
    const place = [y + 18, y + 31, y + 44, y - 10, y - 23, y - 36].find(is_free);
    if (place === undefined) return;
    labels.push({ x, y: place });
    svg.append(shape('text', { x, y: place, 'text-anchor': 'middle', class: 'bad' }, rank + 1));
  });
  svg.append(shape('text', { x: left, y: height - 6 }, 'input'), shape('text', { x: WIDTH - right, y: height - 6, 'text-anchor': 'end' }, 'logits'));
  box.append(note('In dB, of each node\u2019s output against the float network\u2019s. One channel with huge values hides in the mean what befalls all others; the median channel shows it.'), svg,
    legend([['median channel', 'accent'], ['all values', 'soft'], ['the ten noisiest, numbered below', 'bad']]));
  box.append(table([number('#'), named('node'), text('operation'), number('median dB'), number('all dB'), number('own quantizer dB'), number('clipped %'), number('zeroed %'), number('largest'), text('widest channel (to median)')],
    worst.map((node, i) => {
      const range = node.weight_range || node.range;
      return [i + 1, node.name, node.operation, { text: decibels(node.median_channel_sqnr_db), class: 'bad' }, decibels(node.sqnr_db),
        node.own ? decibels(node.own.sqnr_db) : '', node.own && node.own.clipped !== null ? fixed(100 * node.own.clipped, 3) : '',
        node.own ? fixed(100 * node.own.vanished, 2) : '', short(range.largest),
        { text: `${range.widest_channel} (${wider(range)})`, class: is_wide(range) ? 'bad' : '' }];
    })));
}

function weights() {
  const layers = report.layers || [];
  if (!layers.length) return drop('weights');
  const box = section('weights');
  box.append(note('What each layer\u2019s weights are, and what their codes make of them. Wasted codes are those that no weight uses.'));
  const rows = layers.map((layer) => [layer.name, layer.operation, layer.bits, layer.scales, `${short(layer.smallest)} to ${short(layer.largest)}`,
    `${short(layer.lowest_code)} to ${short(layer.highest_code)}`, { text: fixed(100 * layer.clipped, 3), class: layer.clipped > 0.01 ? 'bad' : '' },
    { text: fixed(100 * layer.zeroed, 1), class: layer.zeroed > 0.5 ? 'bad' : '' }, layer.codes_used === null ? '' : `${layer.codes_used} of ${layer.codes}`,
    layer.codes_used === null ? '' : { text: fixed(100 * (1 - layer.codes_used / layer.codes), 0), class: layer.codes_used < layer.codes / 2 ? 'bad' : '' },
    { text: decibels(layer.sqnr_db), class: layer.sqnr_db !== null && layer.sqnr_db < 25 ? 'bad' : '' }]);
  const columns = [named('layer'), text('operation'), number('bits'), number('scales'), text('weights'), text('codes reach'), number('clipped %'), number('zeroed %'), number('codes used'), number('wasted %'), number('SQNR dB')];
  fold(box, columns, rows, layers.map((layer) => layer.sqnr_db ?? 1e9));
}
/// Of many rows the sixteen of the least rank, in their order, and all behind a click.
function fold(box, columns, rows, ranks, words = 'The 16 that suffer most, in order of the network:') {
  const shown = 16;
  if (rows.length <= shown) return box.append(table(columns, rows));
  const order = ranks.map((rank, i) => i).sort((a, b) => ranks[a] - ranks[b]);
  const first = new Set(order.slice(0, shown));
  box.append(note(words), table(columns, rows.filter((_, i) => first.has(i))),
    element('details', {}, [element('summary', {}, `All ${rows.length}`), table(columns, rows)]));
}

function histograms() {
  const layers = (report.layers || []).filter((layer) => layer.histogram).slice()
    .sort((a, b) => (a.sqnr_db ?? 150) - (b.sqnr_db ?? 150)).slice(0, 10);
  if (!layers.length) return drop('histograms');
  section('histograms').append(note('How often weights have which value (logarithmic), the least SQNR first. Shaded: what the codes of the widest scale reach.'));
  const grid = element('div', { class: 'grid' });
  for (const layer of layers) {
    const { low, high, counts } = layer.histogram;
    const width = 260, height = 96, most = Math.log1p(Math.max(...counts));
    const svg = drawing(height, width);
    const at = (value) => width * (value - low) / ((high - low) || 1);
    const clip = (value) => Math.min(width, Math.max(0, at(value)));
    svg.append(shape('rect', { x: clip(layer.lowest_code), width: Math.max(0, clip(layer.highest_code) - clip(layer.lowest_code)), y: 0, height: height - 18, class: 'pale', opacity: 0.45 }));
    counts.forEach((count, i) => {
      const tall = (height - 20) * Math.log1p(count) / most;
      svg.append(hinted(shape('rect', { x: i * width / counts.length, y: height - 18 - tall, width: width / counts.length - 0.6, height: tall, class: 'bar' }), `${count} weights`));
    });
    svg.append(shape('text', { x: 0, y: height - 4 }, short(low)), shape('text', { x: width, y: height - 4, 'text-anchor': 'end' }, short(high)));
    grid.append(element('figure', {}, [element('h3', { title: layer.name }, `${ending(layer.name, 20)}: ${decibels(layer.sqnr_db)} dB`), svg]));
  }
  section('histograms').append(grid);
}

function activations() {
  const quantizers = report.activations || [];
  if (!quantizers.length) return drop('activations');
  const own = new Map((report.node_noise || []).map((node) => [node.name, node]));
  const scales = new Map();
  for (const each of quantizers) scales.set(each.scale_id, (scales.get(each.scale_id) || 0) + 1);
  const columns = [named('quantizer'), number('bits'), text('sign'), text('codes reach'), text('scale')];
  const known = (each) => [each.name, each.bits, each.is_signed ? 'signed' : 'unsigned', each.lowest === null ? 'found in every image' : `${short(each.lowest)} to ${short(each.highest)}`,
    scales.get(each.scale_id) > 1 ? `shared by ${scales.get(each.scale_id)}` : 'own'];
  if (!own.size) {
    section('activations').append(note('Run with --node-sqnr N for clipped shares and widest channels.'));
    return fold(section('activations'), columns, quantizers.map(known), quantizers.map((_, i) => i), 'The first 16:');
  }
  const flagged = (words, is_bad) => ({ text: words, class: is_bad ? 'bad' : '' });
  const measured = (each) => {
    const { range, own: noise } = own.get(each.name) || {};
    const wide = !range ? '' : flagged(wider(range), is_wide(range));
    if (!noise) return [range ? short(range.largest) : '', '', '', wide, ''];
    return [short(range.largest), noise.clipped === null ? '' : flagged(fixed(100 * noise.clipped, 3), noise.clipped > 0.01),
      flagged(fixed(100 * noise.vanished, 2), noise.vanished > 0.3), wide, flagged(decibels(noise.sqnr_db), noise.sqnr_db !== null && noise.sqnr_db < 25)];
  };
  fold(section('activations'), [...columns, number('largest value'), number('clipped %'), number('zeroed %'), number('widest channel to median'), number('own SQNR dB')],
    quantizers.map((each) => [...known(each), ...measured(each)]), quantizers.map(({ name }) => {
      const node = own.get(name);
      return (node && node.own ? node.own.sqnr_db : null) ?? 1e9;
    }));
}

function equalization() {
  const techniques = report.techniques;
  const shown = [['equalize_graph', 'Weights'], ['equalize_activations', 'Activations']].filter(([key]) => techniques[key]);
  if (!shown.length) return drop('equalization');
  const box = section('equalization');
  for (const [key, title] of shown) {
    const all = techniques[key];
    const regions = [...all.equalized].sort((a, b) => b.range_ratio_before - a.range_ratio_before);
    box.append(element('h3', {}, `${title}: ${counted(all.regions, 'region')}, largest range ratio ${short(all.range_ratio_before)} before, ${short(all.range_ratio_after)} after`));
    if (!regions.length) box.append(note('Nothing was equalized.'));
    else {
      const ratios = regions.flatMap((region) => [region.range_ratio_before, region.range_ratio_after]);
      box.append(note('The largest over the smallest channel range of each region, the widest regions first (logarithmic).'));
      box.append(rowChart(regions.slice(0, 20), {
        name: (region) => (region.sources[0] || region.sinks[0]) + (region.sources.length > 1 ? ` +${region.sources.length - 1}` : ''),
        value: (region) => `${short(region.range_ratio_before)} \u2192 ${short(region.range_ratio_after)}`, log: true, low: 1, high: Math.max(10, ...ratios), height: 20,
        draw: (svg, region, y, at) => {
          const { range_ratio_before: before, range_ratio_after: after } = region;
          const words = `${region.sources.join(', ')} \u2192 ${region.sinks.join(', ')}: ${short(before)} before, ${short(after)} after`;
          dumbbell(svg, y, at, before, after, words, after > before * 1.01);
        },
      }), legend([['before', 'soft'], ['after', 'accent'], ['wider than before', 'bad']]));
    }
    if (all.rejected.length) {
      box.append(element('details', {}, [element('summary', {}, `${counted(all.rejected.length, 'layer was', 'layers were')} left out`),
        table([named('layer'), named('where the search ended'), text('why')], all.rejected.map((each) => [each.source, each.at, { text: each.reason, class: 'wide' }]))]));
    }
  }
}

function rounding() {
  const rows = [];
  for (const each of report.techniques.round_weights || []) {
    for (const layer of each.layers) rows.push({ name: layer.name, before: layer.error_before, after: layer.error_after, technique: each.technique });
  }
  for (const unit of report.techniques.learned_round || []) rows.push({ name: unit.name, before: unit.error_before, after: unit.error_after, technique: 'learned round' });
  const drawn = rows.filter((row) => row.before > 0 && row.after > 0);
  if (!drawn.length) return drop('rounding');
  const all = drawn.flatMap((row) => [row.before, row.after]);
  section('rounding').append(note('Error of each layer\u2019s or block\u2019s output, rounding to nearest before, the technique after (logarithmic), in order of the network.'),
    rowChart(drawn, {
      name: (row) => row.name, log: true, low: Math.min(...all) * 0.9, high: Math.max(...all) * 1.1, height: 18,
      value: (row) => `${signed(100 * (row.after / row.before - 1), 0)} %`,
      draw: (svg, row, y, at) => {
        dumbbell(svg, y, at, row.before, row.after, `${row.technique}: ${short(row.before)} before, ${short(row.after)} after`, row.after > row.before);
      },
    }), legend([['nearest', 'soft'], ['after', 'accent'], ['worse', 'bad']]));
}

function bits() {
  const layers = report.layers || [];
  if (!layers.length) return drop('bits');
  const inputs = new Map(((report.truth || {}).layers || []).map((layer) => [layer.layer, layer]));
  const height = 130, left = 28, bottom = 104, most = Math.max(8, ...layers.map((layer) => layer.bits));
  const svg = drawing(height);
  const step = (WIDTH - left) / layers.length;
  const up = (value) => bottom - (bottom - 8) * value / most;
  for (const tick of [2, 4, 8, 16].filter((t) => t <= most)) {
    svg.append(shape('line', { x1: left, x2: WIDTH, y1: up(tick), y2: up(tick), class: 'axis' }), shape('text', { x: left - 6, y: up(tick) + 4, 'text-anchor': 'end' }, tick));
  }
  layers.forEach((layer, i) => {
    const known = inputs.get(layer.name);
    const half = Math.max(1, step / 2 - 0.6);
    svg.append(hinted(shape('rect', { x: left + i * step, y: up(layer.bits), width: half, height: bottom - up(layer.bits), class: 'bar' }), `${layer.name}: ${layer.bits}-bit weights`));
    if (known) svg.append(hinted(shape('rect', { x: left + i * step + half, y: up(known.input_bits), width: half, height: bottom - up(known.input_bits), class: 'pale' }), `${layer.name}: ${known.input_bits}-bit inputs`));
  });
  svg.append(shape('text', { x: left, y: height - 8 }, layers[0].name), shape('text', { x: WIDTH, y: height - 8, 'text-anchor': 'end' }, layers.length > 1 ? layers[layers.length - 1].name : ''));
  section('bits').append(svg, legend([['weights', 'accent'], ['inputs', 'bar']]));
}

function integers() {
  const truth = report.truth;
  if (!truth) return drop('integers');
  const box = section('integers');
  box.append(note('An operation runs on integers where every value that it reads holds codes. Accumulators: the narrowest integer that holds every sum, whatever the input.'));
  const kinds = Object.entries(truth.operators).filter(([kind]) => kind !== 'fake_quantize');
  const most = Math.max(...kinds.map(([, count]) => count.on_integers + count.on_floats), 1);
  box.append(rowChart(kinds, {
    name: ([kind]) => kind, low: 0, high: most, height: 22, whole: true,
    value: ([, count]) => `${count.on_integers} of ${count.on_integers + count.on_floats}`,
    draw: (svg, [, count], y, at) => {
      svg.append(shape('rect', { x: at(0), y: y - 7, width: at(count.on_integers) - at(0), height: 14, class: 'bar' }));
      svg.append(shape('rect', { x: at(count.on_integers), y: y - 7, width: at(count.on_floats) - at(0), height: 14, class: 'before' }));
    },
  }), legend([['on integers', 'accent'], ['on floats', 'soft']]));
  if (truth.layers.length) {
    const wide = truth.layers.map((layer) => layer.accumulator_bits_with_bias);
    box.append(note(`Accumulators of ${Math.min(...wide)} to ${Math.max(...wide)} bits hold every sum.`));
  }
}

function classes() {
  const all = report.classes || [];
  if (!all.length || !of_float) return drop('classes');
  const box = section('classes');
  const lost = all.filter((each) => each.quantized !== each.float)
    .sort((a, b) => (a.quantized - a.float) - (b.quantized - b.float) || a.label - b.label);
  const losing = lost.filter((each) => each.quantized < each.float);
  box.append(note(`${losing.length} of ${all.length} classes lose right answers, ${lost.length - losing.length} gain some. Those that lose most, and the best at the end:`));
  const shown = lost.length > 20 ? [...lost.slice(0, 15), ...lost.slice(-5)] : lost;
  if (!shown.length) return;
  box.append(rowChart(shown, {
    name: (each) => `${each.name}`, low: 0, high: Math.max(...shown.map((each) => each.count)), height: 20, whole: true,
    value: (each) => `${each.float} \u2192 ${each.quantized} of ${each.count}`,
    draw: (svg, each, y, at) => {
      dumbbell(svg, y, at, each.float, each.quantized, `${each.name}: ${each.float} right in float, ${each.quantized} quantized, of ${each.count}`, each.quantized < each.float);
    },
  }), legend([['float', 'soft'], ['quantized', 'accent'], ['fewer', 'bad']]));
}

function flips() {
  const all = report.flips || [];
  if (!all.length) return drop('flips', of_float && report.flips ? 'None: every image is answered as in float.' : undefined);
  const box = section('flips');
  const pictures = report.thumbnails || {};
  const shown = all.filter((flip) => pictures[flip.path]);
  const lost = all.filter((flip) => flip.float === flip.label).length;
  const won = all.filter((flip) => flip.quantized === flip.label).length;
  box.append(note(`${all.length} images get another answer: ${lost} were right in float only, ${won} quantized only.` + (shown.length < all.length ? ` ${shown.length} are shown (--page-images), those lost first.` : '')));
  const grid = element('div', { class: 'flips' });
  for (const flip of shown) {
    const answer = (words, name, label) => element('div', { class: label === flip.label ? 'right' : 'wrong' }, `${words} ${name}`);
    const caption = [element('div', {}, [element('b', {}, flip.label_name)]), answer('float:', flip.float_name, flip.float), answer('quantized:', flip.quantized_name, flip.quantized)];
    grid.append(element('figure', {}, [element('img', { src: pictures[flip.path], alt: flip.path, title: flip.path }), element('figcaption', {}, caption)]));
  }
  box.append(grid);
}

function sensitivity() {
  const found = report.sensitivity;
  if (!found) return drop('sensitivity', 'Run with --sensitivity FILE.csv to see what each layer loses at each width.');
  const groups = new Map();
  for (const row of found.rows.filter((each) => each.divergence > 0)) {
    const key = `${row.kind === 'weight' ? 'W' : 'A'} ${row.group}`;
    groups.set(key, [...(groups.get(key) || []), row]);
  }
  const worst = (rows) => Math.max(...rows.map((row) => row.divergence));
  const rows = [...groups].sort((a, b) => worst(b[1]) - worst(a[1])).slice(0, 40);
  if (!rows.length) return drop('sensitivity');
  const all = rows.flatMap(([, each]) => each.map((row) => row.divergence));
  section('sensitivity').append(note('Divergence of the answers from the float network\u2019s, in nats, where these quantizers alone are on: '
    + `one mark a width, measured on ${found.images} calibration images. The ${rows.length} of ${groups.size} groups that lose most; W are weights, A activations.`),
  rowChart(rows, {
    name: ([key]) => key, value: ([, each]) => short(worst(each)), low: Math.max(Math.min(...all), 1e-6), high: Math.max(...all), log: true, height: 20,
    draw: (svg, [key, each], y, at) => {
      for (const row of each) {
        const x = at(Math.max(row.divergence, 1e-6));
        svg.append(hinted(shape('circle', { cx: x, cy: y, r: 3.5, class: 'mark' }),
          `${key}, ${row.bits} bits: ${short(row.divergence)} nats, estimated ${short(row.estimate)}, SQNR ${decibels(row.sqnr_db)} dB`));
        svg.append(shape('text', { x: x + 5, y: y - 2, class: 'value' }, row.bits));
      }
    },
  }));
}

function pareto() {
  const rows = report.pareto;
  if (!rows) return drop('pareto');
  const height = 300, left = 50, right = 30, bottom = 262;
  const reach = (row) => row.against_float ? [row.against_float.low, row.against_float.high].map((part) => of_float.correct + part * row.count) : [row.correct, row.correct];
  const counts = rows.flatMap((row) => [row.correct, ...reach(row)]);
  const low = Math.max(0, Math.min(...counts)), high = Math.min(report.count, Math.max(...counts));
  const bits = rows.map((row) => row.mean_weight_bits);
  const at = (value) => left + (WIDTH - left - right) * (value - Math.min(...bits)) / ((Math.max(...bits) - Math.min(...bits)) || 1);
  const up = (value) => 12 + (bottom - 12) * (high - Math.min(high, Math.max(low, value))) / ((high - low) || 1);
  const svg = drawing(height);
  for (const tick of niceTicks(low, high)) {
    svg.append(shape('line', { x1: left, x2: WIDTH - right, y1: up(tick), y2: up(tick), class: 'axis' }));
    svg.append(shape('text', { x: left - 6, y: up(tick) + 4, 'text-anchor': 'end' }, short(tick)));
  }
  for (const tick of niceTicks(Math.min(...bits), Math.max(...bits))) svg.append(shape('text', { x: at(tick), y: bottom + 20, 'text-anchor': 'middle' }, short(tick)));
  for (const row of rows) {
    const x = at(row.mean_weight_bits), ends = reach(row);
    svg.append(shape('line', { x1: x, x2: x, y1: up(ends[0]), y2: up(ends[1]), class: 'whisker' }));
    svg.append(hinted(shape('circle', { cx: x, cy: up(row.correct), r: 5, class: row.budget === null ? 'before' : 'mark' }),
      `${row.name}: ${row.correct} of ${row.count} right at ${fixed(row.mean_weight_bits, 2)} bits`));
  }
  const points = (change) => change ? `${signed(100 * change.top1, 2)} (${signed(100 * change.low, 2)} to ${signed(100 * change.high, 2)})` : '';
  section('pareto').append(note('Right answers against mean bits a weight; lines are 95 % intervals against the float network.'), svg,
    legend([['chosen layer by layer', 'accent'], ['one width for all', 'soft']]),
    table([text('setting'), number('mean bits'), number('right'), text('points against float'), text('points against uniform')],
      rows.map((row) => [row.name, fixed(row.mean_weight_bits, 3), `${row.correct} of ${row.count}`, points(row.against_float),
        row.uniform ? `${row.uniform}: ${points(row.against_uniform)}` : ''])));
}

function times() {
  const merged = new Map();
  for (const stage of report.stages) merged.set(stage.name, (merged.get(stage.name) || 0) + stage.seconds);
  const rows = [...merged].map(([name, seconds]) => ({ name, seconds })).filter((row) => row.seconds >= 0.005);
  const total = report.stages.reduce((sum, stage) => sum + stage.seconds, 0);
  const rate = report.images_per_second;
  section('times').append(note(`${fixed(total, 1)} s together; ${rate.float ? `${fixed(rate.float, 1)} images/s in float, ` : ''}${rate.quantized ? `${fixed(rate.quantized, 1)} images/s quantized` : ''}; ${fixed(report.peak_rss_mib, 0)} MiB of memory at most; ${report.resolved.threads} threads.`));
  section('times').append(rowChart(rows, {
    name: (row) => row.name, low: 0, high: Math.max(...rows.map((row) => row.seconds)), height: 20, value: (row) => `${fixed(row.seconds, 2)} s`,
    draw: (svg, row, y, at) => {
      svg.append(shape('rect', { x: at(0), y: y - 6, width: Math.max(1, at(row.seconds) - at(0)), height: 12, class: 'bar', rx: 2 }));
    },
  }));
}

function repeat() {
  const box = section('repeat');
  box.append(element('pre', {}, report.command));
  const files = Object.entries(report.hashes || {}).map(([key, value]) => `${key}: ${value}`);
  if (files.length) box.append(element('pre', {}, files.join('\n')));
  box.append(element('details', {}, [element('summary', {}, 'All options'),
    table([text('option'), text('value')], Object.entries(report.config).map(([key, value]) => [key, { text: value === null ? 'None' : String(value), class: 'wide' }]))]));
  section('footer').textContent = `ptq-eval ${report.versions.ptq_eval}, LibTorch ${report.versions.libtorch}. Run ${report.run_name}.`;
}

// Charts have the width of the window: another one draws them anew.
const main = document.querySelector('main'), blank = main.cloneNode(true);
let drawn_for = 0;
function draw() {
  main.replaceChildren(...blank.cloneNode(true).childNodes);
  measure();
  drawn_for = section('footer').clientWidth;
  for (const part of [
    header, verdict, cards, warnings, stages, floatFunction, noise, weights, histograms, activations, equalization,
    rounding, sensitivity, pareto, bits, integers, classes, flips, times, repeat]) part();
}
draw();
window.addEventListener('resize', () => {
  if (Math.abs(section('footer').clientWidth - drawn_for) > 20) draw();
});
