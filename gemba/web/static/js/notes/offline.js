// Lets the browser keep this page and its files for when there is no connection (js/service-worker.js).

const QUIET = 15000;

export function keepOffline(worker, isFresh) {
  let timer = 0;
  if (!navigator.serviceWorker) return { soon() {}, now() {} };
  const ready = navigator.serviceWorker
    .register(worker)
    .then(() => navigator.serviceWorker.ready)
    .catch(() => null);

  async function now() {
    clearTimeout(timer);
    const files = performance
      .getEntriesByType("resource")
      .map((entry) => new URL(entry.name))
      .filter((url) => url.origin === location.origin && url.pathname.startsWith("/static/"))
      .map((url) => url.pathname + url.search);
    const linked = [...document.querySelectorAll("link[href], script[src]")].map((one) => one.getAttribute("href") ?? one.src);
    const own = [...files, ...linked].filter((name) => new URL(name, location.origin).pathname.startsWith("/static/"));
    (await ready)?.active?.postMessage({ keep: location.pathname, files: [...new Set(own)] });
  }

  // When nothing was saved for a while, so that the kept page has what the server has.
  function soon() {
    clearTimeout(timer);
    timer = setTimeout(now, QUIET);
  }

  if (isFresh) now();
  return { soon, now };
}
