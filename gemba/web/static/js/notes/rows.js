// The list of notes: rows of notes that are on their way, saved ones as the server draws them, and those taken back.

export class Rows {
  constructor(document, words, acts) {
    this.words = words;
    this.acts = acts;
    this.list = document.querySelector("[data-note-list]");
    this.template = document.querySelector("[data-note-template]");
    this.goneTemplate = document.querySelector("[data-gone-template]");
    this.list.addEventListener("click", (event) => this.#pressed(event));
  }

  of(clientId) {
    return this.list.querySelector(`[data-client-id="${clientId}"]`);
  }

  // The newest note that can be edited as a line.
  newest() {
    return [...this.list.querySelectorAll("[data-line]")].map((row) => this.#noteOf(row)).find(Boolean) ?? null;
  }

  minute(at) {
    const from = Date.parse(this.words.start);
    const when = Date.parse(at);
    if (when < from || when > Date.parse(this.words.end)) return "";
    return this.words.wordsMin.replace("{}", Math.floor((when - from) / 60000));
  }

  show(note) {
    if (note.removed) return this.#gone(note);
    const old = this.of(note.client_id);
    const row = old?.classList.contains("is-waiting") ? old : this.#place(note, this.#new(this.template, note));
    Object.assign(row.dataset, { line: note.line, kind: note.kind, severity: note.severity, ask: note.ask ?? "", at: note.at });
    row.querySelector("[data-note-text]").textContent = note.line;
    for (const words of row.querySelectorAll("[data-words]")) words.textContent = `: ${note.line.slice(0, 40)}`;
    row.querySelector("[data-note-state]").textContent = note.refused;
    row.querySelector("[data-as-is]").hidden = !(note.refused && note.isPrivate);
    return row;
  }

  #new(template, note) {
    const row = template.content.cloneNode(true).querySelector("li");
    row.dataset.clientId = note.client_id;
    row.querySelector(".note-minute").textContent = this.minute(note.at);
    return row;
  }

  #place(note, row) {
    const old = this.of(note.client_id);
    document.querySelector("[data-no-notes]")?.remove();
    if (old) old.replaceWith(row);
    else this.list.prepend(row);
    return row;
  }

  replaceAll(list) {
    this.list.replaceChildren(...list.children);
    if (this.list.children.length) document.querySelector("[data-no-notes]")?.remove();
  }

  settle(note, html) {
    if (note.removed) return;
    const holder = document.createElement("ol");
    holder.innerHTML = html;
    const saved = holder.firstElementChild;
    const old = this.of(note.client_id);
    if (!saved) old?.remove();
    else {
      // Not lower than it was: what stands below does not jump by itself.
      if (old) saved.style.minHeight = `${old.offsetHeight}px`;
      this.#place(note, saved);
    }
  }

  #gone(note) {
    const row = this.#place(note, this.#new(this.goneTemplate, note));
    row.gone = note;
  }

  #noteOf(row) {
    const { clientId, line, kind, severity, ask, at } = row.dataset;
    return line === undefined ? null : { client_id: clientId, line, kind, severity, ask, at };
  }

  #pressed(event) {
    const button = event.target.closest("button");
    const row = button?.closest("li");
    const note = row && this.#noteOf(row);
    if (!button) return;
    if ("edit" in button.dataset && note) {
      this.acts.edit(note);
    } else if ("takeBack" in button.dataset && note) {
      event.preventDefault();
      this.#takeBack(note);
    } else if ("bringBack" in button.dataset) {
      const { gone } = row;
      this.acts.put({ ...gone, removed: false, edited: gone.edited || !gone.fresh });
      this.of(gone.client_id)?.querySelector("[data-take-back]")?.focus();
    } else if ("asIs" in button.dataset && note) {
      this.acts.put({ ...this.acts.onItsWay(note.client_id), asIs: true });
    }
  }

  #takeBack(note) {
    const onItsWay = this.acts.onItsWay(note.client_id);
    if (onItsWay && (!onItsWay.tried || onItsWay.refused)) {
      // The server never took it.
      this.acts.drop(note.client_id);
      this.#gone({ ...onItsWay, fresh: true });
    } else {
      this.acts.put({ ...note, ...onItsWay, removed: true, edited: true });
    }
    this.acts.say(this.words.wordsBack);
    this.of(note.client_id)?.querySelector("[data-bring-back]")?.focus();
  }
}
