// What comes first while the weights are being moved. Without this file the button "Try them" does it.

const form = document.querySelector("[data-weights]");
const list = document.querySelector("[data-weighed]");

function score(row) {
  let product = 100;
  for (const [name, factor] of Object.entries(JSON.parse(row.dataset.factors))) {
    product *= factor ** (form.elements[name].value / 100);
  }
  return Math.min(100, Math.round(product));
}

form?.addEventListener("input", () => {
  for (const output of form.querySelectorAll("output")) {
    output.textContent = form.elements[output.dataset.for].value;
  }
  const rows = [...list.children].map((row) => [score(row), row]);
  rows.sort((one, other) => other[0] - one[0]);
  for (const [value, row] of rows) {
    row.querySelector("[data-score]").textContent = value;
    list.append(row);
  }
});
