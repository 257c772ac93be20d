// What perhaps says the same as a new insight, shown while its title, tool and step are typed. Without this
// file the button "Look for the same" does it.

const PAUSE = 400;
const LEAST = 3;
const form = document.querySelector("form[data-near]");
const place = document.querySelector("[data-near-place]");
const said = document.querySelector("[data-near-said]");
const NAMES = ["title", "tool", "step"];
let timer = 0;
let asking = null;
let shown = null;

async function look() {
  const typed = new URLSearchParams(NAMES.map((name) => [name, form.elements[name].value.trim()]));
  const words = typed.toString();
  if (words === shown) return;
  shown = words;
  asking?.abort();
  if (typed.get("title").length < LEAST && !typed.get("tool")) {
    place.replaceChildren();
    said.textContent = "";
    return;
  }
  asking = new AbortController();
  try {
    const answer = await fetch(`${form.dataset.near}?${words}`, { redirect: "manual", signal: asking.signal });
    if (!answer.ok) return;
    const part = new DOMParser().parseFromString(await answer.text(), "text/html");
    said.textContent = part.querySelector("p").textContent;
    place.replaceChildren(...part.body.children);
  } catch {
    // No connection, or newer words are being asked about: what is shown stays, the form works.
  }
}

form?.addEventListener("input", (event) => {
  if (!NAMES.includes(event.target.name)) return;
  clearTimeout(timer);
  timer = setTimeout(look, PAUSE);
});
