// Keeps the page of notes for when there is no connection, with the files it needs, and nothing else. Pages
// come from the network whenever it answers; what was kept is shown only where it does not. Pages shown to
// nobody in particular (signed out) forget it: js/forget.js.

const PAGES = "gemba-pages";
const FILES = "gemba-files";
const NOTES = /^\/visits\/\d+\/notes$/;
const NAMED = /^\/static\/of-[0-9a-f]+\//;
const KEPT_FOR = 24 * 60 * 60 * 1000;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate" && NOTES.test(url.pathname)) event.respondWith(page(request, url.pathname));
  else if (url.pathname.startsWith("/static/")) event.respondWith(file(request));
});

addEventListener("message", (event) => {
  const { keep, files } = event.data ?? {};
  if (NOTES.test(keep ?? "")) event.waitUntil(keepPage(keep, files ?? []));
});

async function keepPage(path, files) {
  const pages = await caches.open(PAGES);
  const answer = await fetch(path, { redirect: "manual" }).catch(() => null);
  if (answer?.ok) await pages.put(path, answer);
  else if (answer) await pages.delete(path);
  const kept = await caches.open(FILES);
  const wanted = new Set(files.map((name) => new URL(name, location.origin).href));
  for (const old of await kept.keys()) if (!wanted.has(old.url)) await kept.delete(old);
  for (const name of wanted) if (!(await kept.match(name))) await kept.add(name).catch(() => null);
}

async function page(request, path) {
  try {
    const answer = await fetch(request);
    if (answer.status < 500) {
      const pages = await caches.open(PAGES);
      if (answer.ok) await pages.put(path, answer.clone());
      else await pages.delete(path);
      return answer;
    }
    return (await keptPage(path)) ?? answer;
  } catch (error) {
    const kept = await keptPage(path);
    if (kept) return kept;
    throw error;
  }
}

// The kept page says of itself that it is not fresh: its clock and its token are old.
async function keptPage(path) {
  const kept = await (await caches.open(PAGES)).match(path);
  if (!kept || Date.now() - Date.parse(kept.headers.get("Date")) > KEPT_FOR) return null;
  const headers = new Headers(kept.headers);
  headers.delete("Content-Encoding");
  headers.delete("Content-Length");
  return new Response((await kept.text()).replace(" data-fresh", " data-stale"), { headers });
}

async function file(request) {
  const kept = await caches.open(FILES);
  const url = new URL(request.url);
  const isNamed = NAMED.test(url.pathname);
  if (isNamed || url.searchParams.has("v")) {
    const found = await kept.match(request);
    if (found) return found;
  }
  return fetch(request).catch(async (error) => {
    const found = (await kept.match(request)) ?? (isNamed && (await sameName(kept, url.pathname)));
    if (found) return found;
    throw error;
  });
}

// A page kept before an update asks for scripts of then; kept are those of one version, which fit together.
async function sameName(kept, path) {
  const name = path.replace(NAMED, "");
  const requests = await kept.keys();
  const same = requests.find(({ url }) => new URL(url).pathname.replace(NAMED, "") === name);
  return same && kept.match(same);
}
