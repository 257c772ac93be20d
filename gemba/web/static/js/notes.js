// Notes of a visit: Enter saves, nothing is ever lost. Without this file the page is a plain form.
//
// A note goes into the device's storage before it is sent and leaves it only when the server has it; its
// client_id makes sending twice harmless. What is in the field is kept at every letter, with the time of the
// first one, and a little later on the server too. Edits and taking back travel the same way as notes.

import { Field } from "./notes/field.js";
import { Line } from "./notes/line.js";
import { Pictures } from "./notes/pictures.js";
import { Rows } from "./notes/rows.js";
import { Store } from "./notes/store.js";
import { keepOffline } from "./notes/offline.js";

const form = document.querySelector("form[data-notes]");
const WAIT = [1, 2, 4, 8, 15, 30];
const PULSE_EVERY = 60000;

function start() {
  const words = form.dataset;
  const store = new Store(`gemba:${words.visit}:${words.person}:`);
  const line = new Line(words);
  const state = form.querySelector("[data-state]");
  const signIn = form.querySelector("[data-signin]");
  const news = form.querySelector("[data-news]");
  let sending = false;
  let again = false;
  let tries = 0;
  let timer = 0;
  let refusal = "";

  // The server's clock: a page kept for offline use has an old idea of it, so the last known one counts.
  let isStale = !("fresh" in words);
  // The page says when the server wrote it: that was when its answer began, however long the scripts took since.
  const since = performance.now() - (performance.getEntriesByType("navigation")[0]?.responseStart ?? 0);
  if (!isStale) store.set("skew", Date.parse(words.now) - (Date.now() - since));
  const skew = store.get("skew") ?? 0;
  const clock = () => new Date(Date.now() + skew);

  function say(text, isWaiting = false) {
    if (state.textContent !== text) state.textContent = text;
    state.classList.toggle("is-waiting", isWaiting);
  }

  const waiting = () => store.notes().filter((note) => !note.refused);

  const rows = new Rows(document, words, {
    edit: (note) => field.edit(note),
    put,
    // The note as it is on its way, if it is.
    onItsWay: (clientId) => store.note(clientId),
    drop: (clientId) => store.dropNote(clientId),
    say,
  });

  const field = new Field(form, store, line, clock, {
    say: (text) => waiting().length || say(text),
    save(note) {
      pictures.follow(note.client_id);
      put(note);
    },
    newest: () => rows.newest(),
  });

  const pictures = new Pictures(form, line, { say, refused: (reason) => (refusal = reason) });

  // A note, or what it should say by now: on the device first, then on its way.
  function put(note) {
    refusal = "";
    const known = store.note(note.client_id);
    const tried = known?.tried ?? false;
    note = { ...note, queued: known?.queued ?? Date.now(), tried, refused: "", rev: (known?.rev ?? 0) + 1 };
    note.edited = note.edited || tried;
    store.keepNote(note);
    rows.show(note);
    if (!store.isSafe) say(words.wordsFull, true);
    send();
  }

  // ---- sending

  function later(text) {
    say(text, true);
    clearTimeout(timer);
    timer = setTimeout(send, WAIT[Math.min(tries++, WAIT.length - 1)] * 1000);
  }

  function settle(sent, result) {
    const note = store.note(sent.client_id);
    // Changed while it was on its way: the newer words go next.
    if (note && note.rev !== sent.rev) {
      again = true;
      return;
    }
    store.dropNote(sent.client_id);
    rows.settle(sent, result.html);
  }

  function refuse(sent, reason, isPrivate) {
    const note = { ...(store.note(sent.client_id) ?? sent), refused: reason || words.wordsRefused, isPrivate };
    store.keepNote(note);
    rows.show(note);
  }

  // When it really started was pressed here, perhaps without a connection.
  const started = document.querySelector("form[data-started]");
  async function sendStart() {
    const at = store.get("start");
    if (!at) return;
    const answer = await line.post(words.startUrl, { at });
    if (answer.status !== 204 && answer.status !== 409) return;
    store.drop("start");
    if (!waiting().length) location.reload();
  }

  started?.addEventListener("submit", (event) => {
    if (event.submitter?.name === "planned") return;
    event.preventDefault();
    words.start = clock().toISOString();
    store.set("start", words.start);
    tick();
    send();
  });

  async function sendAll() {
    await sendStart().catch(() => later(words.wordsOffline));
    for (const { client_id } of waiting()) {
      const note = { ...store.note(client_id), tried: true };
      store.keepNote(note);
      say(words.wordsSaving);
      const result = await line.send(note).catch(() => ({ is: "later" }));
      signIn.hidden = !["signin", "person"].includes(result.is);
      if (result.is === "saved") {
        settle(note, result);
        if (tries) offline.now();
      } else if (result.is === "refused" || result.is === "private") {
        refuse(note, result.reason, result.is === "private");
      } else {
        return later({ signin: words.wordsSignin, person: words.wordsPerson }[result.is] ?? words.wordsOffline);
      }
      tries = 0;
    }
    if (!(await pictures.send((clientId) => rows.of(clientId), (note, html) => rows.settle(note, html)))) {
      return later(words.wordsOffline);
    }
    const refused = store.notes().some((note) => note.refused);
    if (refusal) say(refusal, true);
    else if (refused) say(words.wordsRefused, true);
    else if (!field.isEditing) say(words.wordsSaved);
    offline.soon();
    return isStale ? refresh() : undefined;
  }

  async function send() {
    clearTimeout(timer);
    again = true;
    if (sending) return;
    sending = true;
    while (again) {
      again = false;
      await sendAll();
    }
    sending = false;
  }

  // The list as the server has it by now, with what is still on its way.
  async function refresh() {
    const answer = await fetch(location.pathname, { redirect: "manual" }).catch(() => null);
    if (!answer?.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    rows.replaceAll(page.querySelector("[data-note-list]"));
    for (const note of store.notes()) rows.show(note);
    words.others = page.querySelector("form[data-notes]").dataset.others;
    news.hidden = true;
    isStale = false;
  }

  // ---- the page

  addEventListener("online", send);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) offline.now();
    else if (waiting().length) send();
  });

  const bar = document.querySelector("[data-bar]");
  const lede = document.querySelector("[data-lede]");
  function tick() {
    const all = Math.floor((Date.parse(words.end) - Date.parse(words.start)) / 60000);
    const gone = Math.min(all, Math.max(0, Math.floor((clock() - Date.parse(words.start)) / 60000)));
    if (bar) bar.value = gone;
    if (lede) lede.textContent = words.wordsLede.replace("{gone}", gone).replace("{left}", all - gone);
  }

  async function pulse() {
    const told = document.hidden ? null : await line.pulse().catch(() => null);
    if (!told || String(told.person) !== words.person) return;
    const more = told.others - Number(words.others);
    news.hidden = more <= 0;
    if (more > 0) news.firstElementChild.textContent = more > 1 ? words.wordsOthers : words.wordsOthersOne;
    if (waiting().length) send();
    else if (isStale) refresh();
  }

  news.querySelector("a").addEventListener("click", (event) => {
    event.preventDefault();
    refresh();
    field.input.focus();
  });

  const offline = keepOffline(words.worker, !isStale);
  field.begin().then(() => {
    for (const note of store.notes()) rows.show(note);
    if (waiting().length || store.get("start")) send();
  });
  if (bar) setInterval(tick, 20000);
  setInterval(pulse, PULSE_EVERY);
  if (isStale) {
    tick();
    say(words.wordsOffline, true);
    pulse();
  }
}

if (form) start();
