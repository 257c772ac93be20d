// Offers the browser's zone.
//   <input data-timezone> or <select data-timezone>: filled where it is empty.
//   <button type="button" data-timezone-for="FIELD-ID" hidden>Use <span data-timezone-name></span></button>:
//   shown where the browser's zone differs from the field's value; a click puts it in.

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

function accepts(field) {
  return field.tagName !== "SELECT" || [...field.options].some((option) => option.value === zone);
}

function offer(button) {
  const field = document.getElementById(button.dataset.timezoneFor);
  if (!field || field.value === zone || !accepts(field)) return;
  for (const place of button.querySelectorAll("[data-timezone-name]")) place.textContent = zone;
  button.hidden = false;
  button.addEventListener("click", () => {
    field.value = zone;
    field.dispatchEvent(new Event("change", { bubbles: true }));
    button.hidden = true;
    field.focus();
  });
}

if (zone) {
  for (const field of document.querySelectorAll("[data-timezone]")) {
    if (!field.value && accepts(field)) field.value = zone;
  }
  document.querySelectorAll("[data-timezone-for]").forEach(offer);
}
