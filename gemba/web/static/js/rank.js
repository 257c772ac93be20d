// The rank by hand: rows of the list are dragged by their handle, with a mouse or a finger. Without this file,
// and by keyboard, the buttons of each row do the same.

const table = document.querySelector("table[data-rank]");
const EDGE = 56; // so near to the edge of the window the page rolls along
const ROLL = 12;

function formOf(row) {
  return row.querySelector("[data-rank-form]");
}

function rowsOf() {
  return [...table.tBodies[0].rows].filter(formOf);
}

// Where a row let go at this height would stand: beside which one, and on which side.
function placeAt(y, dragged) {
  for (const row of rowsOf()) {
    const box = row.getBoundingClientRect();
    if (y < box.top || y >= box.bottom || row === dragged) continue;
    return { row, way: y < box.top + box.height / 2 ? "before" : "after" };
  }
  return null;
}

function mark(place) {
  for (const row of rowsOf()) {
    row.classList.toggle("is-drop-before", place?.row === row && place.way === "before");
    row.classList.toggle("is-drop-after", place?.row === row && place.way === "after");
  }
}

function send(row, place) {
  const form = formOf(row);
  for (const [name, value] of [["way", place.way], ["beside", formOf(place.row).dataset.rankForm]]) {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = name;
    field.value = value;
    form.append(field);
  }
  form.submit();
}

function drag(row, handle, pointer) {
  let place = null;
  let y = 0;
  let rolling = 0;

  function look() {
    place = placeAt(y, row);
    mark(place);
  }

  function roll() {
    const way = y < EDGE ? -ROLL : y > innerHeight - EDGE ? ROLL : 0;
    if (way) {
      scrollBy(0, way);
      look();
    }
    rolling = requestAnimationFrame(roll);
  }

  function onMove(event) {
    y = event.clientY;
    look();
  }

  function end(event) {
    cancelAnimationFrame(rolling);
    handle.removeEventListener("pointermove", onMove);
    for (const name of ["pointerup", "pointercancel"]) handle.removeEventListener(name, end);
    document.removeEventListener("keydown", onKey);
    row.classList.remove("is-dragged");
    mark(null);
    if (event.type === "pointerup" && place) send(row, place);
  }

  function onKey(event) {
    if (event.key === "Escape") end(event);
  }

  handle.setPointerCapture(pointer);
  handle.addEventListener("pointermove", onMove);
  for (const name of ["pointerup", "pointercancel"]) handle.addEventListener(name, end);
  document.addEventListener("keydown", onKey);
  row.classList.add("is-dragged");
  y = innerHeight / 2;
  rolling = requestAnimationFrame(roll);
}

// The handle is for pointers only: whoever comes by keyboard finds the buttons.
function dress(row) {
  const handle = document.createElement("span");
  handle.className = "drag-handle";
  handle.title = table.dataset.wordDrag;
  handle.setAttribute("aria-hidden", "true");
  row.querySelector("td.insight").prepend(handle);
  handle.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    drag(row, handle, event.pointerId);
  });
}

if (table) rowsOf().forEach(dress);
