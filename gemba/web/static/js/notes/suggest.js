// Names that are known already, offered while a mark is typed: >tool, @product, #tag. Nothing is chosen unless
// somebody chooses it: Enter saves the note while no name is marked.

const MARKED = /(?:^|\s)([>@#])([\p{L}\p{N}_.+/&-]*)$/u;
const MOST = 6;

const plain = (name) => name.toLowerCase().replaceAll("ё", "е").replace(/[^\p{L}\p{N}]+/gu, "");

export class Suggest {
  constructor(form) {
    this.input = form.elements.line;
    this.list = form.querySelector("[data-suggestions]");
    this.state = form.querySelector("[data-suggest-state]");
    this.words = form.dataset;
    this.known = JSON.parse(form.dataset.known);
    this.active = -1;
    this.input.setAttribute("aria-autocomplete", "list");
    this.input.setAttribute("aria-controls", this.list.id);
    this.input.addEventListener("input", () => this.#look());
    this.input.addEventListener("blur", () => this.close());
    this.list.addEventListener("pointerdown", (event) => {
      // The field keeps the focus.
      event.preventDefault();
      const option = event.target.closest("[role=option]");
      if (option) this.#choose(option.dataset.name);
    });
  }

  get #options() {
    return [...this.list.children];
  }

  #look() {
    const { input } = this;
    const at = input.selectionStart === input.selectionEnd ? input.selectionStart : -1;
    this.found = MARKED.exec(input.value.slice(0, Math.max(0, at)));
    const names = this.found ? this.#fitting(this.found[1], plain(this.found[2])) : [];
    if (!names.length) return this.close();
    this.list.replaceChildren(...names.map((name, index) => this.#option(name, index)));
    this.list.hidden = false;
    this.#mark(-1);
    this.state.textContent = this.words.wordsSuggest.replace("{}", names.length);
  }

  #fitting(mark, typed) {
    const known = this.known[mark].map((name) => [plain(name), name]);
    const begun = known.filter(([name]) => name.startsWith(typed));
    const inside = typed.length > 1 ? known.filter(([name]) => !name.startsWith(typed) && name.includes(typed)) : [];
    const names = [...begun, ...inside].slice(0, MOST);
    return names.length === 1 && names[0][0] === typed ? [] : names.map(([, name]) => name);
  }

  #option(name, index) {
    const option = document.createElement("li");
    option.role = "option";
    option.id = `${this.list.id}-${index}`;
    option.dataset.name = name;
    option.textContent = this.found[1] + name;
    return option;
  }

  #mark(active) {
    this.active = active;
    this.#options.forEach((option, index) => option.setAttribute("aria-selected", String(index === active)));
    if (active < 0) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", this.#options[active].id);
    this.#options[active]?.scrollIntoView({ block: "nearest" });
  }

  #choose(name) {
    const { input, found } = this;
    const start = input.selectionStart - found[2].length;
    const gap = /^\s/.test(input.value.slice(input.selectionStart)) ? "" : " ";
    input.setRangeText(name.trim().replace(/\s+/g, "_") + gap, start, input.selectionStart, "end");
    this.close();
    input.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }

  close() {
    if (this.list.hidden) return;
    this.list.hidden = true;
    this.list.replaceChildren();
    this.state.textContent = "";
    this.#mark(-1);
  }

  // Whether the key was for the list.
  key(event) {
    if (this.list.hidden || event.altKey || event.ctrlKey || event.metaKey) return false;
    const { active } = this;
    const count = this.#options.length;
    if (event.key === "ArrowDown") this.#mark((active + 1) % count);
    else if (event.key === "ArrowUp") this.#mark(active < 0 ? count - 1 : active - 1);
    else if (event.key === "Escape") this.close();
    else if ((event.key === "Enter" || event.key === "Tab") && active >= 0) this.#choose(this.#options[active].dataset.name);
    else return false;
    event.preventDefault();
    return true;
  }
}
