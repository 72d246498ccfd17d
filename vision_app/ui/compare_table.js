// The table of the Compare tab. Gradio calls this with `element`, `props`, `watch` and `trigger` when it appears.
// Python sends the rows (`props.value`), and later each latency (a "latencies" event); sorting and choosing happen here.
// Names come from folders on a disk: they only ever become text, never markup.
const root = element.querySelector(".vw-compare");
const box = element.querySelector(".vw-compare-box");
const head = element.querySelector("thead tr");
const body = element.querySelector("tbody");
const count = element.querySelector(".vw-chosen");
const clearButton = element.querySelector(".vw-clear");
const said = element.querySelector(".vw-said-only");
const measuring = element.querySelector(".vw-measuring");
const empty = element.querySelector(".vw-empty");
const rows = new Map();  // name -> { line, box, cells }
let table = { columns: [], rows: [], names: [], chosen: [], address: {}, limit: 0, colours: [], empty: "" };
let chosen = [], order = [], touched = false, sortField = null, reversed = false, timer = null;

function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function buildHead() {
  if (head.children.length === table.columns.length) return;
  head.replaceChildren(...table.columns.map((column) => {
    const button = make("button", { type: "button", title: column.hint }, column.title, make("span", { "aria-hidden": "true" }));
    button.addEventListener("click", () => sortBy(column));
    return make("th", { scope: "col", "data-field": column.field, class: column.numeric ? "vw-number" : "" }, button);
  }));
}

function buildRow(name) {
  const tick = make("input", { type: "checkbox", "aria-label": `Choose ${name}` });
  tick.addEventListener("change", () => choose(name, tick.checked));
  const cells = new Map();
  const line = make("tr");
  for (const column of table.columns) {
    if (column.field === "name") {
      line.append(make("th", { scope: "row" }, make("label", {}, tick, make("span", {}, name))));
      continue;
    }
    const cell = make("td", { class: column.numeric ? "vw-number" : `vw-${column.field}` });
    cells.set(column.field, cell);
    line.append(cell);
  }
  return { line, tick, cells };
}

function fill(row, data) {
  row.data = data;
  for (const [field, cell] of row.cells) {
    if (cell.textContent !== data[field].text) cell.textContent = data[field].text;
    cell.title = data[field].hint || "";
    if (field === "state") cell.className = `vw-state vw-${data.state.value}`;
  }
}

// Rows without a value stand last in both directions.
function compareRows(first, second, column) {
  const a = first[column.field].value, b = second[column.field].value;
  if (a === null || b === null) return (a === null) - (b === null);
  const order = column.numeric ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
  return column.largestFirst !== reversed ? -order : order;
}

function arrange() {
  const column = table.columns.find((each) => each.field === sortField);
  const sorted = column ? [...table.rows].sort((a, b) => compareRows(a, b, column)) : table.rows;
  order = sorted.map((data) => data.name.value);
  const lines = order.map((name) => rows.get(name).line);
  const focused = document.activeElement;
  if (lines.length !== body.children.length || lines.some((line, i) => line !== body.children[i])) {
    body.replaceChildren(...lines);
    if (focused && body.contains(focused) && focused !== document.activeElement) focused.focus({ preventScroll: true });
  }
  for (const cell of head.children) {
    const here = cell.dataset.field === sortField;
    const rising = here && table.columns.find((each) => each.field === sortField).largestFirst === reversed;
    cell.setAttribute("aria-sort", here ? (rising ? "ascending" : "descending") : "none");
    cell.querySelector("span").textContent = here ? (rising ? "▲" : "▼") : "";
  }
  tellDownloads();
}

// The download buttons save what this names: the chosen rows, or else all, as they stand here; hidden ones come last.
function tellDownloads() {
  const hidden = chosen.filter((name) => !order.includes(name));
  root.dataset.saved = JSON.stringify(chosen.length ? [...order.filter((name) => chosen.includes(name)), ...hidden] : order);
}

function sortBy(column) {
  reversed = sortField === column.field ? !reversed : false;
  sortField = column.field;
  arrange();
  const rising = column.largestFirst === reversed;
  said.textContent = `Sorted by ${column.title}, ${rising ? "ascending" : "descending"}`;
}

function mark() {
  for (const [name, row] of rows) {
    const place = chosen.indexOf(name);
    row.tick.checked = place >= 0;
    row.tick.disabled = place < 0 && chosen.length >= table.limit;
    row.line.classList.toggle("vw-on", place >= 0);
    row.line.style.setProperty("--vw-mine", place >= 0 ? table.colours[place] : "transparent");
  }
  const hidden = chosen.filter((name) => !rows.has(name)).length;
  const filtered = hidden ? `, ${hidden} of them hidden by the filter` : "";
  count.textContent = chosen.length
    ? `${chosen.length} of at most ${table.limit} chosen${filtered}`
    : `Choose up to ${table.limit} models to see them side by side.`;
  clearButton.hidden = !chosen.length;
  tellDownloads();
}

function remember() {
  const url = new URL(location);
  if (url.searchParams.get("tab") !== "compare") return;
  const told = { ...table.address, models: chosen.map(encodeURIComponent).join(",") };
  for (const [key, value] of Object.entries(told)) value ? url.searchParams.set(key, value) : url.searchParams.delete(key);
  url.search = url.search.replaceAll("%2C", ",");
  history.replaceState(history.state, "", url);
}

// Several quick choices are sent once.
function changed() {
  touched = true;
  mark();
  remember();
  clearTimeout(timer);
  timer = setTimeout(() => trigger("select", { names: chosen }), 150);
}

function choose(name, on) {
  chosen = chosen.filter((other) => other !== name);
  if (on) chosen.push(name);
  changed();
}

clearButton.addEventListener("click", () => {
  chosen = [];
  changed();
  body.querySelector("input")?.focus();
});

function show() {
  if (!props.value || !props.value.columns) return;
  table = props.value;
  chosen = (touched ? chosen : table.chosen).filter((name) => table.names.includes(name));
  buildHead();
  const present = new Set(table.rows.map((data) => data.name.value));
  for (const name of [...rows.keys()]) if (!present.has(name)) rows.delete(name);
  for (const data of table.rows) {
    const name = data.name.value;
    if (!rows.has(name)) rows.set(name, buildRow(name));
    fill(rows.get(name), data);
  }
  empty.hidden = table.rows.length > 0;
  box.hidden = !table.rows.length;
  empty.textContent = table.empty;
  arrange();
  mark();
  remember();
}

function showLatencies({ text = "", cells = {} }) {
  measuring.textContent = text;
  for (const data of table.rows) {
    if (cells[data.name.value]) data.latency_ms = cells[data.name.value];
    fill(rows.get(data.name.value), data);
  }
  arrange();
}

watch("value", show);
root.addEventListener("latencies", (event) => showLatencies(event.detail || {}));
show();
