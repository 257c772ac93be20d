// Waits beside a search or a publication: the page is loaded again when something has changed.

const place = document.querySelector("[data-progress]");
const EVERY = 2000;

async function look() {
  try {
    const answer = await fetch(place.dataset.progress, { headers: { Accept: "application/json" } });
    if (answer.ok) {
      // Compared with what the page shows, not with the first answer: a search may be over before that.
      if ((await answer.json()).mark !== place.dataset.mark) {
        location.reload();
        return;
      }
    }
  } catch {
    // No connection for a moment: look again later.
  }
  setTimeout(look, EVERY);
}

if (place) setTimeout(look, EVERY / 2);
