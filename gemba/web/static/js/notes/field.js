// The one field: what is typed is kept at every letter, here and a little later on the server; Enter gives it
// away as a note, after a warning where it looks like somebody's data. A note may come back to be edited.

import { find, mask } from "./private.js";
import { heldElsewhere, hold, uuid } from "./store.js";
import { Suggest } from "./suggest.js";

const QUIET = 1500;

export class Field {
  constructor(form, store, line, clock, acts) {
    Object.assign(this, { form, store, line, clock, acts, words: form.dataset });
    this.input = form.elements.line;
    this.warning = form.querySelector("[data-private]");
    this.cancel = form.querySelector("[data-cancel]");
    this.suggest = new Suggest(form);
    this.privateWords = JSON.parse(this.words.privateWords);
    this.defaultKind = form.elements.kind.querySelector("[selected]")?.value ?? form.elements.kind.value;
    this.aside = null;
    this.timer = 0;
    this.#fresh();
    this.#listen();
  }

  get isEditing() {
    return Boolean(this.draft.edits);
  }

  // ---- what is in the field

  // A new note: its id is the one it will have on the server; `at` is when its first letter comes.
  #fresh(more = {}) {
    this.draft = { id: uuid(), at: null, edits: null, draft: "", onServer: false, ...more };
    hold(this.draft.id);
  }

  #read() {
    const { kind, severity, is_ask } = this.form.elements;
    return { line: this.input.value, kind: kind.value, severity: severity.value, ask: is_ask?.checked ? "1" : "" };
  }

  #write({ line = "", kind = this.defaultKind, severity = "", ask = "" } = {}) {
    const { elements } = this.form;
    this.input.value = line;
    elements.kind.value = kind || this.defaultKind;
    elements.severity.value = severity ?? "";
    if (elements.is_ask) elements.is_ask.checked = Boolean(ask);
    this.cancel.hidden = !this.isEditing;
    this.#grow();
  }

  // The field is as high as its words, up to a third of the window.
  #grow() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, innerHeight / 3)}px`;
  }

  #keep() {
    this.#grow();
    this.warning.hidden = true;
    const { draft } = this;
    if (!this.input.value.trim() && !draft.edits) {
      draft.at = null;
      this.store.dropDraft(draft.id);
    } else {
      draft.at ??= this.clock().toISOString();
      this.store.keepDraft({ ...draft, ...this.#read(), touched: Date.now() });
      this.acts.say(draft.edits ? this.words.wordsEditing : this.words.wordsDraft);
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#keepOnServer(), QUIET);
  }

  // What looks private stays on the device, and so do the words of an edit: the note itself is there.
  async #keepOnServer() {
    const { draft } = this;
    const { line, ...rest } = this.#read();
    const isKept = line.trim() && !draft.edits && !find(line).length;
    if (!isKept && !draft.onServer && !draft.draft) return;
    const at = draft.at ?? this.clock().toISOString();
    const values = { ...rest, id: draft.id, draft: draft.draft, at, line: isKept ? line : "" };
    const done = await this.line.keepDraft(values).catch(() => false);
    if (!done) return;
    draft.onServer = Boolean(isKept);
    draft.draft = "";
    if (isKept && this.draft === draft && this.input.value === line) this.acts.say(this.words.wordsEverywhere);
  }

  // ---- the beginning

  // Goes on with what was being typed: here before this script ran or in a tab that is closed by now, else on
  // another device.
  async begin() {
    const { client_id, draft: onServer, at } = this.form.elements;
    client_id.value = "";
    const shown = { ...this.#read(), line: this.input.defaultValue, at: at.value || null, draft: onServer.value };
    onServer.value = "";
    const isAsked = new URLSearchParams(location.search).has("draft");
    const isAhead = this.#takeUp(shown);
    const busy = await heldElsewhere().catch(() => new Set());
    const own = this.store.drafts().filter((draft) => !busy.has(draft.id) && !this.store.note(draft.id));
    const isSame = ({ id, line }) => isAhead && id === shown.draft && line === shown.line;
    for (const { id } of own.filter(isSame)) this.store.dropDraft(id);
    const others = own.filter((draft) => draft.id !== this.draft.id && !isSame(draft));
    const kept = others.find((draft) => !isAsked || draft.id === shown.draft);
    const isOld = shown.draft && this.store.note(shown.draft);
    if (this.draft.at) this.#putAside(kept, shown.draft);
    else if (kept) this.#goOn(kept, kept.id);
    else if (isAhead) this.#write();
    else if (shown.draft && !isOld) this.#goOn(shown, shown.draft);
    else if (isOld) this.#write();
    for (const row of document.querySelectorAll("[data-draft-id]")) {
      if (row.dataset.draftId === this.draft.draft || this.store.note(row.dataset.draftId)) row.remove();
    }
    if (this.input.value && !isAhead) this.input.setSelectionRange(this.input.value.length, this.input.value.length);
    this.#grow();
  }

  // What was typed before this script ran, after what the page was made with. Enter began a new line then and
  // saves now. Says whether there was anything.
  #takeUp({ line, at, draft }) {
    const { input } = this;
    if (input.value === line) return false;
    const isMore = input.value.startsWith(line);
    const lines = isMore ? input.value.slice(line.length).split("\n") : [input.value];
    if (isMore) lines[0] = line + lines[0];
    Object.assign(this.draft, { at, draft });
    while (lines.length > 1) {
      input.value = lines.shift();
      this.draft.at ??= this.clock().toISOString();
      this.save();
      if (!this.warning.hidden) {
        // Looks private: it waits for an answer with all that follows it.
        input.value = [input.value, ...lines].join("\n");
        return true;
      }
    }
    [input.value] = lines;
    this.#keep();
    return true;
  }

  // Words kept earlier come back when what is being typed now is saved.
  #putAside(kept, draft) {
    this.draft.draft ||= draft;
    if (kept && !this.aside) this.aside = { kept };
  }

  // With a new id: should the other tab or device save it after all, there are two notes and not one lost.
  #goOn(kept, id) {
    this.#fresh({ at: kept.at, edits: kept.edits ?? null, draft: id });
    this.#write(kept);
    this.#keep();
    this.store.dropDraft(id);
  }

  // ---- saving and editing

  // Gives the words away as a note. `way` says what to do with private data: "", "mask" or "as-is".
  save(way = "") {
    const wordsOfMask = Object.fromEntries(Object.entries(this.privateWords).map(([sort, [, word]]) => [sort, word]));
    if (way === "mask") this.input.value = mask(this.input.value, wordsOfMask);
    const line = this.input.value.trim();
    if (!line) return this.leave();
    const found = way === "as-is" ? [] : find(line);
    if (found.length) return this.#warn(found);
    const { draft } = this;
    const note = { ...this.#read(), line, asIs: way === "as-is" };
    const at = draft.at ?? this.clock().toISOString();
    if (draft.edits) Object.assign(note, draft.edits, { edited: true });
    else Object.assign(note, { client_id: draft.id, at, draft: draft.draft });
    this.suggest.close();
    this.acts.save(note);
    return this.#next();
  }

  #next() {
    clearTimeout(this.timer);
    this.warning.hidden = true;
    this.store.dropDraft(this.draft.id);
    const { aside } = this;
    this.aside = null;
    if (aside?.kept) {
      this.#goOn(aside.kept, aside.kept.id);
    } else {
      this.#fresh(aside?.draft);
      this.#write(aside?.words);
      if (aside) this.#keep();
    }
    this.input.focus();
  }

  #warn(found) {
    const sorts = [...new Set(found.map(({ sort }) => sort))];
    const list = new Intl.ListFormat(document.documentElement.lang || "en");
    const names = list.format(sorts.map((sort) => this.privateWords[sort][0]));
    this.warning.querySelector("p").textContent = this.words.wordsLooks.replace("{}", names);
    this.warning.hidden = false;
    this.warning.querySelector("button").focus();
  }

  edit({ client_id, at, ...words }) {
    if (this.draft.edits) this.leave();
    if (this.input.value.trim()) this.aside = { draft: this.draft, words: this.#read() };
    this.#fresh({ at, edits: { client_id, at } });
    this.#write(words);
    this.#keep();
    this.input.focus();
    this.input.scrollIntoView({ block: "nearest" });
    this.input.setSelectionRange(this.input.value.length, this.input.value.length);
  }

  // Leaves an edit: the note stays as it was.
  leave() {
    if (this.draft.edits) this.#next();
  }

  // ---- keys and buttons

  #listen() {
    const { form, input } = this;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save(event.submitter?.name === "private" ? event.submitter.value : "");
    });
    input.addEventListener("input", () => this.#keep());
    form.addEventListener("change", (event) => event.target !== input && input.value.trim() && this.#keep());
    input.addEventListener("keydown", (event) => this.#key(event));
    this.warning.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.warning.hidden = true;
      input.focus();
    });
    this.cancel.addEventListener("click", () => this.leave());
    for (const button of form.querySelectorAll("[data-mark]")) {
      button.addEventListener("click", () => this.#mark(button.dataset.mark));
    }
  }

  #key(event) {
    if (event.isComposing || this.suggest.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.save();
    } else if (event.key === "Escape") {
      this.leave();
    } else if (event.key === "ArrowUp" && !this.input.value && !event.altKey) {
      const note = this.acts.newest();
      if (!note) return;
      event.preventDefault();
      this.edit(note);
    } else if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      this.#turnKind(event.key === "ArrowDown" ? 1 : -1);
    }
  }

  #turnKind(step) {
    const { kind } = this.form.elements;
    kind.selectedIndex = (kind.selectedIndex + step + kind.length) % kind.length;
    this.acts.say(kind.selectedOptions[0].textContent);
    if (this.input.value.trim()) this.#keep();
  }

  // Puts a mark where the writing is; a chosen word is put between quotes or behind the mark.
  #mark(mark) {
    const { input } = this;
    const chosen = input.value.slice(input.selectionStart, input.selectionEnd);
    const before = input.value.slice(0, input.selectionStart);
    const gap = before && !/\s$/.test(before) ? " " : "";
    const text = mark === '"' ? `"${chosen}"` : mark + chosen;
    input.setRangeText(gap + text, input.selectionStart, input.selectionEnd, "end");
    if (mark === '"' && !chosen) input.setSelectionRange(input.selectionStart - 1, input.selectionStart - 1);
    input.focus();
    this.#keep();
  }
}
