// Pictures pasted into the field: cropped and blacked out in a dialog, then they wait for their note to be saved
// and follow it. They are kept by the page alone: leaving it while one waits asks first.

import { Editor, imageIn } from "../picture/editor.js";

const THUMB = 72;

export class Pictures {
  constructor(form, line, acts) {
    Object.assign(this, { line, acts, words: form.dataset });
    this.dialog = document.querySelector("[data-picture-dialog]");
    this.shelf = form.querySelector("[data-pictures-shelf]");
    this.input = form.elements.line;
    this.editor = new Editor(this.dialog.querySelector("[data-editor]"));
    this.attach = this.dialog.querySelector("[data-attach]");
    // What goes with the words in the field, and by client_id what waits for its note or the network.
    this.chosen = [];
    this.waiting = new Map();
    this.#listen(form);
  }

  #listen(form) {
    const pick = form.querySelector("[data-pick]");
    this.input.addEventListener("paste", (event) => {
      const file = imageIn(event.clipboardData);
      if (!file) return;
      event.preventDefault();
      this.open(file);
    });
    const picked = () => {
      const [file] = pick.files;
      pick.value = "";
      if (file) this.open(file);
    };
    pick.addEventListener("change", picked);
    picked(); // chosen before this script had run
    this.attach.addEventListener("click", () => this.#choose());
    this.dialog.querySelector("[data-leave-out]").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("close", () => this.input.focus());
    addEventListener("beforeunload", (event) => {
      if (this.chosen.length || this.waiting.size) event.preventDefault();
    });
  }

  async open(file) {
    const isPicture = await this.editor.take(file);
    this.attach.disabled = !isPicture;
    if (!this.dialog.open) this.dialog.showModal();
    if (isPicture) this.editor.canvas.focus({ preventScroll: true });
  }

  async #choose() {
    const file = await this.editor.file();
    const { picture } = this.editor;
    const thumb = document.createElement("canvas");
    const scale = THUMB / Math.max(picture.width, picture.height);
    thumb.width = Math.max(1, Math.round(picture.width * scale));
    thumb.height = Math.max(1, Math.round(picture.height * scale));
    thumb.getContext("2d").drawImage(picture, 0, 0, thumb.width, thumb.height);
    this.chosen.push({ file, thumb });
    this.show();
    this.dialog.close();
    this.acts.say(this.words.wordsPicture);
  }

  // The shelf under the field: small pictures, each with a button that leaves it out.
  show() {
    this.shelf.hidden = !this.chosen.length;
    const items = this.chosen.map((one, index) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "link-button";
      button.textContent = this.words.wordsLeaveOut;
      button.setAttribute("aria-label", `${this.words.wordsLeaveOut} (${index + 1})`);
      button.addEventListener("click", () => {
        this.chosen.splice(this.chosen.indexOf(one), 1);
        this.show();
        this.input.focus();
      });
      item.append(one.thumb, button);
      return item;
    });
    this.shelf.replaceChildren(...items);
  }

  // The words leave the field as this note: its pictures go with it.
  follow(clientId) {
    if (!this.chosen.length) return;
    this.waiting.set(clientId, [...(this.waiting.get(clientId) ?? []), ...this.chosen]);
    this.chosen = [];
    this.show();
  }

  // Sends what waits for notes that are saved; `rowOf` finds a note's row, `settle` draws it anew. Says whether
  // everything went.
  async send(rowOf, settle) {
    for (const [clientId, pictures] of this.waiting) {
      const url = rowOf(clientId)?.querySelector("[data-note-pictures]")?.href;
      while (url && pictures.length) {
        const result = await this.line.sendPicture(url, pictures[0].file).catch(() => ({ is: "later" }));
        if (result.is === "later") return false;
        pictures.shift();
        if (result.is === "saved") settle({ client_id: clientId }, result.html);
        else this.acts.refused(result.reason || this.words.wordsPictureNo);
      }
      if (!pictures.length) this.waiting.delete(clientId);
    }
    return true;
  }
}
