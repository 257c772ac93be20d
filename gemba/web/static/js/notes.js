// Notes of a visit: Enter saves, nothing is ever lost. Without this file the page is a plain form.
//
// A note goes into the device's storage before it is sent and leaves it only when the server has it; its
// client_id makes sending twice harmless. Every note has a key of its own, so that two tabs do not
// overwrite each other. The draft is kept at every letter, with the time of the first one.

const form = document.querySelector("form[data-notes]");
const WAIT = [1, 2, 4, 8, 15, 30];

function storage() {
  try {
    localStorage.setItem("gemba:probe", "1");
    localStorage.removeItem("gemba:probe");
    return localStorage;
  } catch {
    // Storage may be off: then the notes live as long as the page.
    const kept = new Map();
    return {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => kept.set(key, value),
      removeItem: (key) => kept.delete(key),
      key: (index) => [...kept.keys()][index],
      get length() {
        return kept.size;
      },
    };
  }
}

function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  // randomUUID exists on https and localhost only.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

function start() {
  const words = form.dataset;
  const store = storage();
  const field = form.elements.line;
  const state = form.querySelector("[data-state]");
  const signIn = form.querySelector("[data-signin]");
  const list = document.querySelector("[data-note-list]");
  const template = document.querySelector("[data-note-template]");
  const prefix = `gemba:${words.visit}:${words.person}:`;
  const draftKey = `${prefix}draft`;
  const skew = Date.parse(words.now) - Date.now();
  let token = document.querySelector('meta[name="csrf-token"]').content;
  let startedAt = null;
  let sending = false;
  let again = false;
  let tries = 0;
  let timer = 0;

  const clock = () => new Date(Date.now() + skew);

  function say(text, waiting = false) {
    if (state.textContent !== text) state.textContent = text;
    state.classList.toggle("is-waiting", waiting);
  }

  // ---- the draft

  function keepDraft() {
    if (!field.value.trim()) {
      startedAt = null;
      store.removeItem(draftKey);
      return;
    }
    startedAt ??= clock().toISOString();
    store.setItem(draftKey, JSON.stringify({ line: field.value, at: startedAt }));
    if (!waiting().length) say(words.wordsDraft);
  }

  function restoreDraft() {
    const kept = read(draftKey);
    if (!kept || field.value.trim()) return;
    field.value = kept.line;
    startedAt = kept.at;
    say(words.wordsDraft);
  }

  // ---- the queue

  function read(key) {
    try {
      return JSON.parse(store.getItem(key));
    } catch {
      return null;
    }
  }

  function waiting() {
    const keys = [];
    for (let index = 0; index < store.length; index++) {
      const key = store.key(index);
      if (key.startsWith(`${prefix}note:`)) keys.push(key);
    }
    return keys
      .map((key) => read(key))
      .filter(Boolean)
      .sort((one, other) => one.queued - other.queued);
  }

  const keyOf = (note) => `${prefix}note:${note.client_id}`;
  const rowOf = (note) => list.querySelector(`[data-client-id="${note.client_id}"]`);

  function minute(at) {
    const from = Date.parse(words.start);
    const when = Date.parse(at);
    if (when < from || when > Date.parse(words.end)) return "";
    return words.wordsMin.replace("{}", Math.floor((when - from) / 60000));
  }

  function show(note) {
    if (rowOf(note)) return;
    const row = template.content.cloneNode(true).querySelector("li");
    row.dataset.clientId = note.client_id;
    row.querySelector(".note-minute").textContent = minute(note.at);
    row.querySelector("p").textContent = note.line;
    row.querySelector("[data-take-back]").addEventListener("click", () => takeBack(note));
    list.prepend(row);
    document.querySelector("[data-no-notes]")?.remove();
    mark(note, note.refused ?? "");
  }

  function mark(note, refused) {
    const row = rowOf(note);
    if (!row) return;
    row.querySelector("[data-note-state]").textContent = refused;
    row.querySelector(".note-actions").hidden = !refused;
  }

  function takeBack(note) {
    store.removeItem(keyOf(note));
    rowOf(note)?.remove();
    field.value = [field.value, note.line].filter((text) => text.trim()).join("\n");
    startedAt = note.at;
    keepDraft();
    field.focus();
  }

  function add() {
    const line = field.value.trim();
    if (!line) return;
    const note = {
      client_id: uuid(),
      line,
      kind: form.elements.kind.value,
      severity: form.elements.severity.value,
      at: startedAt ?? clock().toISOString(),
      queued: Date.now(),
    };
    store.setItem(keyOf(note), JSON.stringify(note));
    field.value = "";
    form.elements.severity.value = "";
    keepDraft();
    show(note);
    send();
  }

  // ---- sending

  function post(note) {
    const body = new URLSearchParams();
    for (const name of ["client_id", "line", "kind", "severity", "at"]) body.set(name, note[name]);
    return fetch(location.pathname, {
      method: "POST",
      body,
      headers: { "X-Fragment": "note", "X-CSRFToken": token, Accept: "text/html" },
      redirect: "manual",
      signal: AbortSignal.timeout(15000),
    });
  }

  // A new sign-in in another tab has another token: the page tells it.
  async function renewToken() {
    const answer = await fetch(location.pathname, { redirect: "manual", signal: AbortSignal.timeout(15000) });
    if (!answer.ok) return false;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector('meta[name="csrf-token"]')?.content;
    if (!fresh || fresh === token) return false;
    token = fresh;
    for (const input of document.querySelectorAll('input[name="csrf_token"]')) input.value = fresh;
    return true;
  }

  // What became of one try: saved, refused (with the reason), signin or later.
  async function outcome(note) {
    let answer = await post(note);
    if (answer.status === 400 && (await renewToken())) answer = await post(note);
    if (answer.ok) return { is: "saved", html: await answer.text() };
    if (answer.type === "opaqueredirect" || [400, 401, 403].includes(answer.status)) return { is: "signin" };
    if ([404, 409, 413, 422].includes(answer.status)) {
      const isPlain = answer.headers.get("X-Refusal") === "1";
      return { is: "refused", reason: isPlain ? await answer.text() : words.wordsRefused };
    }
    return { is: "later" };
  }

  function settle(note, html) {
    store.removeItem(keyOf(note));
    const row = rowOf(note);
    if (!html.trim()) {
      row?.remove();
      return;
    }
    const holder = document.createElement("ol");
    holder.innerHTML = html;
    const saved = holder.firstElementChild;
    for (const input of saved.querySelectorAll('input[name="csrf_token"]')) input.value = token;
    if (row) row.replaceWith(saved);
    else list.prepend(saved);
  }

  function refuse(note, reason) {
    note.refused = reason || words.wordsRefused;
    store.setItem(keyOf(note), JSON.stringify(note));
    show(note);
    mark(note, note.refused);
  }

  function later(text) {
    say(text, true);
    clearTimeout(timer);
    timer = setTimeout(send, WAIT[Math.min(tries++, WAIT.length - 1)] * 1000);
  }

  async function sendAll() {
    for (const note of waiting().filter((one) => !one.refused)) {
      say(words.wordsSaving);
      const result = await outcome(note).catch(() => ({ is: "later" }));
      signIn.hidden = result.is !== "signin";
      if (result.is === "saved") settle(note, result.html);
      else if (result.is === "refused") refuse(note, result.reason);
      else return later(result.is === "signin" ? words.wordsSignin : words.wordsOffline);
      tries = 0;
    }
    const refused = waiting().some((one) => one.refused);
    say(refused ? words.wordsRefused : words.wordsSaved, refused);
  }

  async function send() {
    clearTimeout(timer);
    if (sending) {
      again = true;
      return;
    }
    sending = true;
    do {
      again = false;
      await sendAll();
    } while (again);
    sending = false;
  }

  // ---- the page

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    add();
    field.focus();
  });
  field.addEventListener("input", keepDraft);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  addEventListener("online", send);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && waiting().some((note) => !note.refused)) send();
  });

  const bar = document.querySelector(".live-bar[data-start]");
  if (bar) {
    setInterval(() => {
      bar.value = Math.min(bar.max, Math.max(0, (clock() - Date.parse(bar.dataset.start)) / 60000));
    }, 20000);
  }

  restoreDraft();
  const left = waiting();
  left.forEach(show);
  if (left.some((note) => !note.refused)) send();
}

if (form) start();
