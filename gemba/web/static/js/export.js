// The page of an export asks again while it runs. Without this script its link "Look again" does the same.
const EVERY = 2000;

async function lookAgain() {
  const box = document.querySelector("[data-progress]");
  if (!box || !("running" in box.dataset)) return;
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.ok && !answer.redirected) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.querySelector("[data-progress]");
        // What a person has focused stays where it is.
        if (fresh && !box.contains(document.activeElement)) box.replaceWith(fresh);
      }
    } catch {
      // No connection: the next look may find one.
    }
  }
  setTimeout(lookAgain, EVERY);
}

setTimeout(lookAgain, EVERY);
