// A usual week painted with mouse, finger or keyboard.
// The typed fields stay the truth: what is painted is written into them at once, and what is typed is
// painted. Without this file the same form is filled in by hand.

const HALF = 30, DAY = 1440, MORNING = 6 * 60, EVENING = 22 * 60;
const HOLD = 220, SLIP = 10; // A finger that stays so many ms within so many px paints; one that slips scrolls.
const EDGE = 36, CREEP = 6; // So near to the edge, in px, a finger that paints moves the week by so many px a frame.
const form = document.querySelector("form[data-week]");
const part = (name) => form.querySelector(`[data-${name}]`);
const box = part("week-painted");
const grid = box.querySelector("table");
const fields = new Map([...form.querySelectorAll("[data-day]")].map((input) => [input.dataset.day, input]));
const days = [...fields.keys()];
const dayName = (day) => form.querySelector(`label[for="${fields.get(day).id}"]`).textContent.trim();

/* ---------- words and ranges: "09:00–13:00, 14:00–18:00" <-> [[540, 780], [840, 1080]] ---------- */

const clock = (minute) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
const words = (ranges) => ranges.map(([start, end]) => `${clock(start)}–${clock(end)}`).join(", ");

function read(text) {
  const ranges = [];
  for (const piece of text.split(/[,;]/)) {
    if (!piece.trim()) continue;
    const found = /^(\d{1,2})(?:[:.](\d{2}))?\s*[-–—]\s*(\d{1,2})(?:[:.](\d{2}))?$/.exec(piece.trim());
    if (!found) return null;
    const start = +found[1] * 60 + +(found[2] ?? 0), end = +found[3] * 60 + +(found[4] ?? 0);
    if (start >= end || end > DAY) return null;
    ranges.push([start, end]);
  }
  return join(ranges);
}

function join(ranges) {
  const joined = [];
  for (const [start, end] of ranges.toSorted?.((a, b) => a[0] - b[0]) ?? [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else joined.push([start, end]);
  }
  return joined;
}

function without(ranges, from, to) {
  return ranges.flatMap(([start, end]) =>
    [[start, Math.min(end, from)], [Math.max(start, to), end]].filter(([a, b]) => a < b && (b <= from || a >= to)));
}

const week = () => new Map(days.map((day) => [day, read(fields.get(day).value)]));
let open = week();
const scroll = grid.closest(".week-scroll");

/* ---------- the grid ---------- */

const cells = []; // cells[row][column]

function build() {
  const body = grid.tBodies[0];
  for (let minute = 0; minute < DAY; minute += HALF) {
    const row = body.insertRow();
    row.className = minute % 60 ? "is-half" : "";
    const head = document.createElement("th");
    head.scope = "row";
    const label = document.createElement("span");
    label.textContent = clock(minute);
    if (minute % 60) label.className = "visually-hidden";
    head.append(label);
    row.append(head);
    cells.push(days.map((day, column) => {
      const cell = row.insertCell();
      cell.setAttribute("role", "gridcell");
      cell.setAttribute("aria-label", `${dayName(day)} ${clock(minute)}`);
      cell.tabIndex = -1;
      Object.assign(cell.dataset, { half: cells.length, column });
      return cell;
    }));
  }
}

function show() {
  cells.forEach((row, index) => row.forEach((cell, column) => {
    const ranges = open.get(days[column]);
    const from = index * HALF, to = from + HALF;
    const isOpen = ranges?.some(([start, end]) => start <= from && to <= end) ?? false;
    cell.setAttribute("aria-selected", isOpen);
    cell.classList.toggle("is-partly", !isOpen && (ranges?.some(([start, end]) => start < to && from < end) ?? false));
    cell.classList.toggle("is-unread", ranges === null);
  }));
}

const isOpen = ([row, column]) => cells[row][column].getAttribute("aria-selected") === "true";
const at = (cell) => [+cell.dataset.half, +cell.dataset.column];
const cellUnder = (x, y) => document.elementFromPoint(x, y)?.closest(".is-painted [role=gridcell]");

function showNight(shown) {
  cells.forEach((row, index) => {
    const minute = index * HALF;
    row[0].parentElement.hidden = !shown && (minute < MORNING || minute >= EVENING);
  });
  const button = part("night");
  button.setAttribute("aria-expanded", shown);
  button.hidden = shown;
}

/* ---------- painting: a stroke lays one value on a rectangle, from where it began ---------- */

let stroke = null; // {from, to, value, before}

function begin(from, value = !isOpen(from)) {
  stroke = { from, value, before: open };
  extend(from);
}

function extend(to) {
  stroke.to = to;
  open = new Map(stroke.before);
  const [top, bottom] = [stroke.from[0], to[0]].sort((a, b) => a - b);
  const [left, right] = [stroke.from[1], to[1]].sort((a, b) => a - b);
  for (const day of days.slice(left, right + 1)) {
    const rest = without(open.get(day) ?? [], top * HALF, (bottom + 1) * HALF);
    open.set(day, join(stroke.value ? [...rest, [top * HALF, (bottom + 1) * HALF]] : rest));
  }
  show();
}

function finish() {
  for (const day of days) if (open.get(day) !== stroke.before.get(day)) fields.get(day).value = words(open.get(day));
  sayStroke();
  changed();
}

function sayStroke() {
  const [top, bottom] = [stroke.from[0], stroke.to[0]].sort((a, b) => a - b);
  const [left, right] = [stroke.from[1], stroke.to[1]].sort((a, b) => a - b);
  const day = left === right ? dayName(days[left]) : `${dayName(days[left])}–${dayName(days[right])}`;
  say(stroke.value ? box.dataset.open : box.dataset.closed, { day, start: clock(top * HALF), end: clock((bottom + 1) * HALF) });
}

function say(sentence, values) {
  part("said").textContent = sentence.replace(/\{(\w+)\}/g, (_all, name) => values[name]);
}

/* ---------- mouse and pen ---------- */

let ignoreClick = false;

grid.addEventListener("pointerdown", (event) => {
  const cell = event.target.closest("[role=gridcell]");
  if (!cell || event.pointerType === "touch" || event.button) return;
  event.preventDefault();
  focus(at(cell));
  begin(at(cell));
  document.body.classList.add("is-painting");
});
document.addEventListener("pointermove", (event) => {
  if (!stroke || stroke.keys || event.pointerType === "touch") return;
  const cell = cellUnder(event.clientX, event.clientY);
  if (cell) extend(at(cell));
});
for (const type of ["pointerup", "pointercancel"]) {
  document.addEventListener(type, (event) => {
    if (!stroke || stroke.keys || event.pointerType === "touch") return;
    ignoreClick = true;
    setTimeout(() => { ignoreClick = false; });
    document.body.classList.remove("is-painting");
    finish();
    stroke = null;
  });
}
// A tap of a finger, and the click of a screen reader.
grid.addEventListener("click", (event) => {
  const cell = event.target.closest("[role=gridcell]");
  if (!cell || ignoreClick) return;
  focus(at(cell));
  begin(at(cell));
  finish();
  stroke = null;
});

/* ---------- finger: hold, then drag; a quick move scrolls as everywhere ---------- */

let holding = null;

function letGo() {
  clearTimeout(holding?.timer);
  holding = null;
}

// Where the card with the Save button covers the page, in px from above; on a phone it lies at the bottom.
function coveredFrom() {
  const card = document.querySelector(".save-card");
  return getComputedStyle(card).position === "fixed" ? card.getBoundingClientRect().top : Infinity;
}

// At the edge of what is seen of the week, the week moves on under the finger.
function creep() {
  if (!holding?.paints) return;
  const frame = scroll.getBoundingClientRect(), { x, y } = holding;
  const top = frame.top + grid.tHead.offsetHeight;
  const bottom = Math.min(frame.bottom, window.innerHeight, coveredFrom());
  const by = y > bottom - EDGE ? CREEP : y < top + EDGE ? -CREEP : 0;
  if (by) {
    scroll.scrollTop += by;
    const cell = cellUnder(x, Math.max(top + 2, Math.min(bottom - 2, y)));
    if (cell && at(cell).join() !== stroke.to.join()) extend(at(cell));
  }
  requestAnimationFrame(creep);
}

grid.addEventListener("touchstart", (event) => {
  const cell = event.target.closest("[role=gridcell]");
  letGo();
  if (!cell || event.touches.length > 1) return;
  const { clientX: x, clientY: y } = event.touches[0];
  const timer = setTimeout(() => {
    holding.paints = true;
    navigator.vibrate?.(10);
    begin(at(cell));
    requestAnimationFrame(creep);
  }, HOLD);
  holding = { x, y, timer, paints: false };
}, { passive: true });
grid.addEventListener("touchmove", (event) => {
  if (!holding) return;
  const { clientX: x, clientY: y } = event.touches[0];
  if (!holding.paints) {
    if (Math.hypot(x - holding.x, y - holding.y) > SLIP) letGo();
    return;
  }
  event.preventDefault();
  Object.assign(holding, { x, y });
  const cell = cellUnder(x, y);
  if (cell) extend(at(cell));
}, { passive: false });
for (const type of ["touchend", "touchcancel"]) {
  grid.addEventListener(type, (event) => {
    if (holding?.paints) {
      event.preventDefault(); // no click after a stroke
      finish();
      stroke = null;
    }
    letGo();
  }, { passive: false });
}
grid.addEventListener("contextmenu", (event) => {
  if (holding) event.preventDefault();
});

/* ---------- keyboard: one cell in the tab order ---------- */

let focused = [9 * 60 / HALF, 0];
let justToggled = null;

function focus(to, move = true) {
  cells[focused[0]][focused[1]].tabIndex = -1;
  focused = to;
  const cell = cells[to[0]][to[1]];
  cell.tabIndex = 0;
  if (move) cell.focus();
}

const visibleRows = () => cells.map((_row, index) => index).filter((index) => !cells[index][0].parentElement.hidden);

function step(key, [row, column], ctrl) {
  const rows = visibleRows(), here = rows.indexOf(row);
  const toRow = (index) => rows[Math.max(0, Math.min(rows.length - 1, index))];
  const last = days.length - 1;
  return {
    ArrowDown: () => [toRow(here + 1), column],
    ArrowUp: () => [toRow(here - 1), column],
    ArrowLeft: () => [row, Math.max(0, column - 1)],
    ArrowRight: () => [row, Math.min(last, column + 1)],
    Home: () => [ctrl ? rows[0] : row, 0],
    End: () => [ctrl ? rows.at(-1) : row, last],
    PageDown: () => [toRow(here + 4), column],
    PageUp: () => [toRow(here - 4), column],
  }[key]?.();
}

grid.addEventListener("keydown", (event) => {
  if (!event.target.closest("[role=gridcell]") || event.altKey || event.metaKey) return;
  const same = (a, b) => a && b && a[0] === b[0] && a[1] === b[1];
  if (event.key === " " || event.key === "Enter") {
    event.preventDefault();
    begin(focused);
    finish();
    stroke = null;
    justToggled = focused;
    return;
  }
  const to = step(event.key, focused, event.ctrlKey);
  if (!to) return;
  event.preventDefault();
  if (event.shiftKey) {
    // After a toggle, go on with what it did; else with the opposite of where it starts.
    if (!stroke) {
      begin(focused, same(justToggled, focused) ? isOpen(focused) : !isOpen(focused));
      stroke.keys = true;
    }
    extend(to);
    finish();
  } else stroke = null;
  justToggled = null;
  focus(to);
});
grid.addEventListener("focusout", (event) => {
  if (stroke?.keys && !grid.contains(event.relatedTarget)) stroke = null;
});

/* ---------- copying a day, typing, the night ---------- */

for (const button of form.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", () => {
    const from = form.querySelector("#copy-from").value;
    for (const day of button.dataset.copy.split(",")) fields.get(day).value = fields.get(from).value;
    open = week();
    show();
    say(box.dataset.copied, { day: dayName(from) });
    changed();
  });
}
for (const [day, input] of fields) {
  input.addEventListener("change", () => {
    open = week();
    show();
    if (open.get(day) === null) say(box.dataset.unread, { day: dayName(day) });
  });
}
part("night").addEventListener("click", () => {
  showNight(true);
  focus([0, 0]);
});

/* ---------- what is not saved yet ---------- */

// Whoever watches the form hears of a stroke as of typed words.
function changed() {
  form.dispatchEvent(new Event("input"));
}

form.addEventListener("input", () => {
  const state = document.querySelector("[data-state]");
  state.textContent = box.dataset.changed;
  state.hidden = false;
});

/* ---------- begin ---------- */

build();
show();
const early = [...open.values()].some((ranges) => ranges?.some(([start, end]) => start < MORNING || end > EVENING));
showNight(early);
box.hidden = false;
const hasErrors = part("typed").querySelector(".has-error") !== null;
part("typed").open = hasErrors;
const first = Math.min(...[...open.values()].flatMap((ranges) => (ranges ?? []).map(([start]) => start)), 9 * 60);
focus([Math.floor(first / HALF), 0], false);
// Where the week scrolls by itself (a phone), the first open hour comes into view.
const top = (element) => element.getBoundingClientRect().top;
scroll.scrollTop = top(cells[Math.floor(first / HALF)][0]) - top(grid.tBodies[0]) - 30;
