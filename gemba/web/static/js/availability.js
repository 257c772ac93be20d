// Days off tapped in a month, rows removed and put back, parts of a country, and the live line.
// week.js paints the week. Without this file the same buttons save at once.

const form = document.querySelector("form[data-week]");
const part = (name) => form.querySelector(`[data-${name}]`);
const words = part("days-off").dataset;
const changed = () => form.dispatchEvent(new Event("input"));
const say = (sentence, day) => { part("said").textContent = sentence.replace("{day}", day); };

/* ---------- days off: the same buttons, without leaving the page ---------- */

const list = part("dates");
const rowsOf = (day) => [...list.querySelectorAll("[data-row]")].filter((row) => row.querySelector("[type=date]").value === day);
let made = 1000; // names of new rows: any number that is not taken

function addDate(day, hours = "") {
  const row = part("date-row").content.firstElementChild.cloneNode(true);
  made += 1;
  for (const [kind, value] of [["day", day], ["hours", hours]]) {
    const input = row.querySelector(kind === "day" ? "[type=date]" : "[type=text]");
    input.name = input.id = `dates-${made}-${kind}`;
    input.value = value;
    input.closest(".field").querySelector("label").htmlFor = input.id;
  }
  row.querySelector("button").value = day;
  list.append(row);
}

function markDates() {
  for (const button of form.querySelectorAll("button.month-day")) {
    const [row] = rowsOf(button.value);
    const hours = row?.querySelector("[type=text]").value.trim();
    button.classList.toggle("is-off", Boolean(row) && !hours);
    button.classList.toggle("is-other", Boolean(hours));
    button.setAttribute("aria-pressed", Boolean(row));
  }
}

form.addEventListener("click", (event) => {
  const button = event.target.closest("button.month-day[name=toggle]");
  if (!button) return;
  event.preventDefault();
  const gone = rowsOf(button.value);
  if (gone.length) for (const one of gone) one.remove();
  else addDate(button.value);
  say(gone.length ? words.removed : words.off, button.getAttribute("aria-label"));
  changed();
});

/* ---------- rows: one that is removed leaves a line that puts it back ---------- */

form.addEventListener("click", (event) => {
  const row = event.target.closest("[data-row] button[name=toggle], [data-row] button[name=remove]")?.closest("[data-row]");
  if (!row) return;
  event.preventDefault();
  const line = part("gone-row").content.firstElementChild.cloneNode(true);
  line.querySelector("button").addEventListener("click", () => {
    line.replaceWith(row);
    row.querySelector("button").focus();
    changed();
  });
  row.replaceWith(line);
  line.querySelector("button").focus();
  changed();
});

/* ---------- holidays: the parts of the chosen country; zones offered while typing ---------- */

const holidays = part("holidays"), partField = part("part");

form.elements.holidays.addEventListener("change", async () => {
  const select = form.elements.holidays_part, country = form.elements.holidays.value;
  select.length = 1;
  partField.hidden = true;
  if (!country) return;
  try {
    const answer = await fetch(`${holidays.dataset.holidays}?country=${encodeURIComponent(country)}`);
    const parts = Object.entries(await answer.json());
    if (country !== form.elements.holidays.value) return;
    select.append(...parts.map(([code, name]) => new Option(name, code)));
    partField.hidden = !parts.length;
  } catch {
    // Offline: the whole country can still be saved.
  }
});

document.getElementById("zones").append(...[...form.elements.timezone.options].map((zone) => new Option(zone.value, zone.value)));

/* ---------- the live line ---------- */

let asked = 0, waiting;

async function preview() {
  const turn = (asked += 1);
  const query = new URLSearchParams(new FormData(form));
  query.delete("csrf_token");
  try {
    const answer = await fetch(`${form.dataset.preview}?${query}`, { headers: { Accept: "text/plain" } });
    if (turn === asked && [200, 422].includes(answer.status)) document.querySelector("[data-opens]").textContent = await answer.text();
  } catch {
    // Offline: the line keeps its last words; saving says more.
  }
}

form.addEventListener("input", () => {
  markDates();
  clearTimeout(waiting);
  waiting = setTimeout(preview, 300);
});
