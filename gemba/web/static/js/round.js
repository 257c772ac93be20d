// Waits beside a search or a publication: the page is loaded again when something has changed.

const place = document.querySelector("[data-progress]");
const EVERY = 2000;
let before = null;

async function look() {
  try {
    const answer = await fetch(place.dataset.progress, { headers: { Accept: "application/json" } });
    if (answer.ok) {
      const told = await answer.text();
      if (before !== null && told !== before) {
        location.reload();
        return;
      }
      before = told;
    }
  } catch {
    // No connection for a moment: look again later.
  }
  setTimeout(look, EVERY);
}

if (place) setTimeout(look, EVERY / 2);
