// The drawing pad. Gradio calls this with `element`, `props` and `watch` when the pad appears.
// Strokes are kept as points in units of the picture (280 x 280), so undo and any screen size are exact.
const SIZE = 280, PEN = 18, SCALE = 2, SEND_EVERY = 150, STEP = 7, STORE = "vision-workbench-pad";
const paper = element.querySelector(".vw-paper");
const canvas = element.querySelector("canvas");
const pen = element.querySelector(".vw-pen");
const said = element.querySelector("output");
const [undoButton, clearButton] = element.querySelectorAll("button");
canvas.width = canvas.height = SIZE * SCALE;
const ink = canvas.getContext("2d", { willReadFrequently: true });

let strokes = [], current = null, background = null;
let cursor = [SIZE / 2, SIZE / 2], penDown = false, sent = "", timer = null, waiting = false;

function drawStroke(points) {
  ink.lineWidth = PEN;
  ink.lineCap = ink.lineJoin = "round";
  ink.beginPath();
  if (points.length === 1) {
    ink.arc(points[0][0], points[0][1], PEN / 2, 0, 7);
    ink.fill();
    return;
  }
  ink.moveTo(...points[0]);
  for (let i = 1; i < points.length - 1; i++) {
    const [x, y] = points[i], [nextX, nextY] = points[i + 1];
    ink.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  }
  ink.lineTo(...points[points.length - 1]);
  ink.stroke();
}

function draw() {
  ink.setTransform(SCALE, 0, 0, SCALE, 0, 0);
  ink.fillStyle = "#fff";
  ink.fillRect(0, 0, SIZE, SIZE);
  if (background) ink.drawImage(background, 0, 0, SIZE, SIZE);
  ink.fillStyle = ink.strokeStyle = "#000";
  strokes.forEach(drawStroke);
  const empty = !strokes.length && !background;
  paper.classList.toggle("vw-inked", !empty);
  undoButton.disabled = clearButton.disabled = empty;
  pen.style.left = (100 * cursor[0]) / SIZE + "%";
  pen.style.top = (100 * cursor[1]) / SIZE + "%";
  pen.classList.toggle("vw-down", penDown);
}

function picture() {
  if (!strokes.length && !background) return "";
  const small = document.createElement("canvas");
  small.width = small.height = SIZE;
  const context = small.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(canvas, 0, 0, SIZE, SIZE);
  return small.toDataURL("image/png");
}

function sendNow() {
  clearTimeout(timer);
  timer = null;
  waiting = false;
  sent = picture();
  props.value = sent;
}

// At once, and then at most every SEND_EVERY milliseconds while the drawing goes on.
function send() {
  if (timer) { waiting = true; return; }
  sendNow();
  timer = setTimeout(() => { timer = null; if (waiting) send(); }, SEND_EVERY);
}

function place(event) {
  const box = canvas.getBoundingClientRect();
  return [((event.clientX - box.left) * SIZE) / box.width, ((event.clientY - box.top) * SIZE) / box.height];
}

function begin(point) {
  current = [point];
  strokes.push(current);
}

function extend(point) {
  const [x, y] = current[current.length - 1];
  if (Math.hypot(point[0] - x, point[1] - y) >= 1) current.push(point);
}

function end() {
  current = null;
  penDown = false;
  draw();
  sendNow();
  try { sessionStorage.setItem(STORE, JSON.stringify(strokes)); } catch { /* private mode: nothing is kept */ }
}

function clear() {
  strokes = [];
  background = null;
  end();
  said.textContent = "Cleared";
}

function undo() {
  if (!strokes.pop()) background = null;
  end();
  said.textContent = "Last stroke undone";
}

canvas.addEventListener("pointerdown", (event) => {
  if (!event.isPrimary || event.button !== 0) return;
  canvas.setPointerCapture(event.pointerId);
  paper.classList.remove("vw-keys");
  said.textContent = "";
  begin(place(event));
  draw();
  send();
});
canvas.addEventListener("pointermove", (event) => {
  if (!current || !event.isPrimary || penDown) return;
  const moves = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
  (moves.length ? moves : [event]).forEach((move) => extend(place(move)));
  draw();
  send();
});
for (const name of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(name, (event) => { if (current && event.isPrimary && !penDown) end(); });
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
canvas.addEventListener("keydown", (event) => {
  const arrow = ARROWS[event.key];
  if (arrow) {
    cursor = cursor.map((value, axis) => Math.min(SIZE, Math.max(0, value + arrow[axis] * STEP)));
    if (penDown) { extend(cursor.slice()); send(); }
  } else if (event.key === " " || event.key === "Enter") {
    if (penDown) end();
    else { penDown = true; begin(cursor.slice()); send(); }
    said.textContent = penDown ? "Pen down" : "Pen up";
  } else if (event.key === "Delete" || event.key === "Backspace") clear();
  else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") undo();
  else return;
  paper.classList.add("vw-keys");
  event.preventDefault();
  draw();
});
canvas.addEventListener("focus", () => paper.classList.toggle("vw-keys", canvas.matches(":focus-visible")));
canvas.addEventListener("blur", () => { if (penDown) end(); paper.classList.remove("vw-keys"); });
undoButton.addEventListener("click", undo);
clearButton.addEventListener("click", clear);

// Someone else changed the value: show it, and let the next strokes go on top.
function show(value) {
  strokes = [];
  background = null;
  sent = value || "";
  draw();
  if (!sent) return;
  const image = new Image();
  image.onload = () => { background = image; draw(); };
  image.src = sent;
}
watch("value", () => { if ((props.value || "") !== sent) show(props.value); });

draw();
if (props.value) show(props.value);
else {
  try { strokes = JSON.parse(sessionStorage.getItem(STORE)) || []; } catch { strokes = []; }
  draw();
  if (strokes.length) setTimeout(sendNow, 300);  // after a reload; the page must be listening first
}
