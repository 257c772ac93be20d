// A form is sent once: its button says so in words and is off until the page is shown again.
// A form with data-repeat (live notes) is left alone. Without this file everything still works.

const busy = new Map();

function release() {
  for (const [button, words] of busy) {
    button.textContent = "";
    button.append(...words);
    button.classList.remove("is-waiting");
    button.removeAttribute("aria-disabled");
    delete button.form?.dataset.sent;
  }
  busy.clear();
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || "repeat" in form.dataset) return;
  if ("sent" in form.dataset) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "";
  const button = event.submitter;
  if (!button) return;
  busy.set(button, [...button.childNodes]);
  // aria-disabled, not disabled: a disabled button's name and value would not be sent.
  button.setAttribute("aria-disabled", "true");
  if (!button.dataset.saving) return;
  button.classList.add("is-waiting");
  button.textContent = button.dataset.saving;
  // A download answers without leaving the page, so nothing else would give the button back.
  if ("download" in form.dataset) setTimeout(release, 4000);
});

// The back button may bring the page as it was left, with the button off.
addEventListener("pageshow", (event) => {
  if (event.persisted) release();
});

// Errors of a form: bring the summary into view (and focus, where autofocus did not).
document.querySelector(".error-summary")?.focus();
