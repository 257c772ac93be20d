// Choosing rows of the backlog: all at once, several with Shift, X on a row; how many are chosen is said.
// Without this file the boxes and buttons work one by one.

const form = document.querySelector("[data-chosen]");
const boxes = [...document.querySelectorAll('input[name="insight"][form="chosen"]')];
const all = document.querySelector("[data-choose-all]");
const said = document.querySelector("[data-chosen-count]");
let last = null;

function count() {
  const chosen = boxes.filter((box) => box.checked).length;
  said.textContent = chosen ? form.dataset.word.replace("%s", chosen) : "";
  if (all) {
    all.checked = chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
  }
}

function onClick(event) {
  const box = event.currentTarget;
  if (event.shiftKey && last) {
    const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
    for (const each of boxes.slice(from, to + 1)) each.checked = box.checked;
  }
  last = box;
  count();
}

if (form) {
  for (const box of boxes) box.addEventListener("click", onClick);
  if (all) {
    all.hidden = false;
    all.addEventListener("click", () => {
      for (const box of boxes) box.checked = all.checked;
      count();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "x" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest('input:not([type="checkbox"]), textarea, select')) return;
    const box = event.target.closest("tr")?.querySelector('input[name="insight"]');
    if (box) box.click();
  });
  count();
}
