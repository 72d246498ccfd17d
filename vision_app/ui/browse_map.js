// The map of a dataset's images. Gradio calls this with `element`, `props`, `watch` and `trigger` when it appears.
// Python sends places and groups of all images (`props.value`); drawing, zooming and pointing happen here.
const canvas = element.querySelector("canvas");
const pen = canvas.getContext("2d");
const legend = element.querySelector(".vw-legend");
const said = element.querySelector(".vw-map-said");
const tip = element.querySelector(".vw-map-tip");
const near = element.querySelector(".vw-map-near");
const whole = element.querySelector(".vw-map-whole");
const EVERYTHING = [0, 0, 1, 1], PALETTE = 12, REACH = 14, DRAG = 5;
let count = 0, places = null, groups = null, order = null, names = [], region = null, picked = -1, marks = [];
let view = EVERYTHING, lit = null, start = null, box = null, scheduled = false, layout = "", dataset = "", focus = -1;

function numbers(text, Type) {
  return new Type(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

function read() {
  const value = props.value || {};
  element.querySelector(".vw-map").hidden = !value.count;
  element.querySelector(".vw-empty").hidden = Boolean(value.count);
  if (!value.count) { count = 0; return; }
  if (value.layout !== layout || value.dataset !== dataset) view = EVERYTHING;
  picked = -1;
  ({ count, names, marks, layout, dataset } = value);
  places = numbers(value.places, Uint16Array);
  groups = numbers(value.groups, Uint16Array);
  region = value.region;
  lit = null;
  // A fixed shuffle: else the last class would cover the others.
  order = Uint32Array.from({ length: count }, (_, index) => index);
  let state = 1;
  for (let last = count - 1; last > 0; last--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = state % (last + 1);
    [order[last], order[other]] = [order[other], order[last]];
  }
  focus = -1;
  said.textContent = value.said;
  buildLegend(value.sizes);
  draw();
}

function buildLegend(sizes) {
  legend.replaceChildren(...names.flatMap((name, group) => {
    if (!sizes[group]) return [];
    const button = document.createElement("button"), dot = document.createElement("i"), small = document.createElement("small");
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    dot.style.background = `var(${colour(group)})`;
    small.textContent = sizes[group].toLocaleString("en");
    button.append(dot, name, " ", small);
    button.addEventListener("click", () => {
      lit = lit === group ? null : group;
      legend.querySelectorAll("button").forEach((other) => other.setAttribute("aria-pressed", other === button && lit !== null));
      draw();
    });
    const item = document.createElement("li");
    item.append(button);
    return item;
  }));
}

function colour(group) {
  return names[group] === props.value.rest ? "--vw-muted-bar" : `--vw-group-${group % PALETTE}`;
}

function toScreen(index) {
  const [left, bottom, right, top] = view, pad = 8;
  const x = (places[2 * index] / 65535 - left) / (right - left), y = (places[2 * index + 1] / 65535 - bottom) / (top - bottom);
  return [pad + x * (canvas.clientWidth - 2 * pad), pad + (1 - y) * (canvas.clientHeight - 2 * pad)];
}

function toMap(x, y) {
  const [left, bottom, right, top] = view, pad = 8, inside = (share) => Math.min(1, Math.max(0, share));
  return [
    left + inside((x - pad) / (canvas.clientWidth - 2 * pad)) * (right - left),
    bottom + inside(1 - (y - pad) / (canvas.clientHeight - 2 * pad)) * (top - bottom),
  ];
}

function draw() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => { scheduled = false; paint(); });
}

function paint() {
  const width = canvas.clientWidth, height = canvas.clientHeight, ratio = window.devicePixelRatio || 1;
  if (!count || !width) return;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  const style = getComputedStyle(element), colours = names.map((_, group) => style.getPropertyValue(colour(group)).trim());
  const shown = (view[2] - view[0]) * (view[3] - view[1]) * count;
  const size = shown > 20000 ? 2 : shown > 3000 ? 3 : 5;
  const rest = names.indexOf(props.value.rest);
  for (const front of [false, true]) {  // those that are pointed out, or were found, come last, on top
    for (const index of order) {
      const group = groups[index], on = lit === null || group === lit;
      if (front !== (lit === null ? group !== rest : on)) continue;
      const [x, y] = toScreen(index);
      if (x < 0 || y < 0 || x > width || y > height) continue;
      pen.globalAlpha = on ? 0.8 : 0.08;
      pen.fillStyle = colours[group];
      pen.fillRect(x - size / 2, y - size / 2, size, size);
    }
  }
  pen.globalAlpha = 1;
  writeNames(style);
  if (picked >= 0) ring(...toScreen(picked), style);
  if (focus >= 0 && focus !== picked && document.activeElement === canvas) ring(...toScreen(focus), style);
  if (box || region) outline(box || corners(region), style);
  near.hidden = !region || String(region) === String(view);
  whole.hidden = view === EVERYTHING;
}

function writeNames(style) {
  pen.font = `600 13px ${style.fontFamily}`;
  pen.textAlign = "center";
  pen.lineWidth = 4;
  pen.lineJoin = "round";
  pen.strokeStyle = style.getPropertyValue("--background-fill-primary");
  pen.fillStyle = style.getPropertyValue("--body-text-color");
  const taken = [];
  for (const [group, index] of marks) {
    const [x, y] = toScreen(index), half = pen.measureText(names[group]).width / 2;
    if (x < 0 || x > canvas.clientWidth || y < 0 || y > canvas.clientHeight || (lit !== null && lit !== group)) continue;
    const inside = Math.min(canvas.clientWidth - half - 4, Math.max(half + 4, x));
    // A name that would cover another one is left out; the legend and the pointer tell it.
    if (taken.some(([left, top, wide]) => Math.abs(left - inside) < half + wide + 4 && Math.abs(top - y) < 16)) continue;
    taken.push([inside, y, half]);
    pen.strokeText(names[group], inside, y + 4);
    pen.fillText(names[group], inside, y + 4);
  }
}

function ring(x, y, style) {
  pen.lineWidth = 3;
  pen.strokeStyle = style.getPropertyValue("--body-text-color");
  pen.beginPath();
  pen.arc(x, y, 9, 0, 2 * Math.PI);
  pen.stroke();
}

function corners([left, bottom, right, top]) {
  const across = (x) => 8 + ((x - view[0]) / (view[2] - view[0])) * (canvas.clientWidth - 16);
  const down = (y) => 8 + (1 - (y - view[1]) / (view[3] - view[1])) * (canvas.clientHeight - 16);
  return [across(left), down(top), across(right), down(bottom)];
}

function outline([x0, y0, x1, y1], style) {
  pen.lineWidth = 2;
  pen.setLineDash([6, 4]);
  pen.strokeStyle = style.getPropertyValue("--body-text-color");
  pen.strokeRect(x0, y0, x1 - x0, y1 - y0);
  pen.setLineDash([]);
}

function nearest(x, y) {
  let best = -1, least = REACH * REACH;
  for (let index = 0; index < count; index++) {
    if (lit !== null && groups[index] !== lit) continue;
    const [left, top] = toScreen(index), distance = (left - x) ** 2 + (top - y) ** 2;
    if (distance < least) [best, least] = [index, distance];
  }
  return best;
}

function point(event) {
  const area = canvas.getBoundingClientRect();
  return [event.clientX - area.left, event.clientY - area.top];
}

canvas.addEventListener("pointerdown", (event) => {
  if (!event.isPrimary || event.button) return;
  start = point(event);
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener("pointermove", (event) => {
  const [x, y] = point(event);
  if (start && (box || Math.hypot(x - start[0], y - start[1]) > DRAG)) {
    box = [...start, x, y];
    tip.hidden = true;
    draw();
    return;
  }
  const index = start ? -1 : nearest(x, y);
  tip.hidden = index < 0;
  if (index < 0) return;
  tip.textContent = names[groups[index]];
  tip.style.left = `${Math.max(0, Math.min(canvas.clientWidth - tip.offsetWidth - 4, x + 14))}px`;
  tip.style.top = `${y + 14 + tip.offsetHeight > canvas.clientHeight ? y - tip.offsetHeight - 8 : y + 14}px`;
});
canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
canvas.addEventListener("pointercancel", () => { start = box = null; draw(); });
canvas.addEventListener("pointerup", (event) => {
  if (!start) return;
  if (box) {
    const [x0, y0] = toMap(...start), [x1, y1] = toMap(...point(event));
    region = [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)];
    trigger("select", { dataset, layout, region });
  } else {
    const index = nearest(...start);
    if (index >= 0) pick(index);
  }
  start = box = null;
  draw();
});
function pick(index) {
  picked = focus = index;
  trigger("click", { dataset, index });
  draw();
}
// With the arrow keys from point to point: the nearest one in that direction.
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
canvas.addEventListener("keydown", (event) => {
  if ((event.key === "Enter" || event.key === " ") && focus >= 0) pick(focus);
  else if (ARROWS[event.key] && count) {
    const [across, down] = ARROWS[event.key];
    const [x, y] = focus < 0 ? [canvas.clientWidth / 2, canvas.clientHeight / 2] : toScreen(focus);
    let best = -1, least = Infinity;
    for (let index = 0; index < count; index++) {
      const [left, top] = toScreen(index), ahead = (left - x) * across + (top - y) * down;
      const aside = Math.abs((left - x) * down) + Math.abs((top - y) * across);
      if (ahead > 0.5 && ahead + 3 * aside < least) [best, least] = [index, ahead + 3 * aside];
    }
    if (best >= 0) focus = best;
    draw();
  } else return;
  event.preventDefault();
});
near.addEventListener("click", () => {
  const [left, bottom, right, top] = region, least = 0.01;
  view = [left, bottom, Math.max(right, left + least), Math.max(top, bottom + least)];
  region = [...view];
  whole.hidden = false;
  whole.focus();
  draw();
});
whole.addEventListener("click", () => { view = EVERYTHING; canvas.focus(); draw(); });
canvas.addEventListener("blur", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
new ResizeObserver(draw).observe(canvas);
watch("value", read);
read();
