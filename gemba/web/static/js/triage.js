// Triage by keyboard: j and k walk the list, the letters on the buttons press them. Without this file the
// page is links and forms. "Not now" and "Ask" want words first: their keys go to the field, and Ctrl and
// Enter there press the button that was meant.

const page = document.querySelector("[data-triage]");
const NEEDS_WORDS = new Set(["s", "?"]);
let meant = null;

function walk(step) {
  const links = [...page.querySelectorAll(".triage-list a")];
  const here = links.findIndex((link) => link.getAttribute("aria-current"));
  links[here + step]?.click();
}

function button(key) {
  return [...page.querySelectorAll("button[data-key]")].find((each) => each.dataset.key.includes(key));
}

function press(key) {
  const found = button(key);
  if (!found) return false;
  const field = found.form.elements.reason;
  if (NEEDS_WORDS.has(key) && !field.value.trim()) {
    meant = found;
    field.focus();
  } else {
    found.click();
  }
  return true;
}

function typing(target) {
  return target.closest("input, textarea, select, [contenteditable]");
}

if (page) {
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.metaKey) return;
    if (typing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      if (event.key === "Enter" && event.ctrlKey) {
        event.preventDefault();
        (meant?.form === event.target.form ? meant : event.target.form.querySelector("button[data-key]")).click();
      }
      return;
    }
    if (event.ctrlKey) return;
    if (event.key === "j" || event.key === "k") walk(event.key === "j" ? 1 : -1);
    else if (!press(event.key)) return;
    event.preventDefault();
  });
}
