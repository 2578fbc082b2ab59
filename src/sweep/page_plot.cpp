#include "sweep/page_parts.h"

namespace ptq::sweep {

const char* const kPlotScript = R"js(
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
  size.width = models.length === 1 ? 1220 : 620;
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
)js";

}  // namespace ptq::sweep
