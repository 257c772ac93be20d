// A picture on a canvas: crop it, black out parts of it. What comes out is the canvas, so pixels that were cut
// away or blacked out are not in it. `root` holds the canvas, the buttons and the words.

const FORMATS = ["image/png", "image/jpeg", "image/webp"];
const ENDINGS = { "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp" };
const SIDE = 2560;
const STEP = 8;
const UNDO_MOST = 8;

export function imageIn(data) {
  return [...(data?.files ?? [])].find((one) => one.type.startsWith("image/")) ?? null;
}

export class Editor {
  constructor(root) {
    this.root = root;
    this.canvas = root.querySelector("[data-canvas]");
    this.said = root.querySelector("[data-said]");
    this.undoButton = root.querySelector('[data-do="undo"]');
    this.context = this.canvas.getContext("2d");
    // The picture without the rectangle that is being drawn over it.
    this.picture = document.createElement("canvas");
    this.pen = this.picture.getContext("2d");
    this.before = [];
    this.media = "image/png";
    this.box = null;
    this.from = null;
    this.#listen();
  }

  // Shows a file; says whether it is a picture that can be added.
  async take(file) {
    this.root.hidden = false;
    const image = FORMATS.includes(file.type) ? await createImageBitmap(file).catch(() => null) : null;
    if (!image) {
      this.said.textContent = this.root.dataset.wordsNo;
      return false;
    }
    const { picture } = this;
    this.media = file.type;
    const scale = Math.min(1, SIDE / Math.max(image.width, image.height));
    picture.width = Math.round(image.width * scale);
    picture.height = Math.round(image.height * scale);
    this.pen.drawImage(image, 0, 0, picture.width, picture.height);
    this.before.length = 0;
    this.box = null;
    this.#draw();
    this.#tell();
    return true;
  }

  // The picture as it is now, as a file that is called as before.
  async file(name = "") {
    const blob = await new Promise((done) => this.picture.toBlob(done, this.media, 0.9));
    const stem = name.replace(/\.[^.]*$/, "") || "picture";
    return new File([blob], `${stem}.${ENDINGS[blob.type] ?? "png"}`, { type: blob.type });
  }

  #draw() {
    const { canvas, context, picture, box } = this;
    canvas.width = picture.width;
    canvas.height = picture.height;
    context.drawImage(picture, 0, 0);
    if (box) {
      context.lineWidth = Math.max(2, picture.width / 400);
      context.strokeStyle = getComputedStyle(canvas).getPropertyValue("--accent") || "#b4470f";
      context.setLineDash([context.lineWidth * 4, context.lineWidth * 2]);
      context.strokeRect(box.x, box.y, box.w, box.h);
    }
    this.undoButton.disabled = !this.before.length;
  }

  #tell() {
    const { wordsReady, wordsSize } = this.root.dataset;
    const size = wordsSize.replace("{w}", this.picture.width).replace("{h}", this.picture.height);
    this.said.textContent = `${wordsReady} ${size}`;
  }

  #remember() {
    const copy = document.createElement("canvas");
    copy.width = this.picture.width;
    copy.height = this.picture.height;
    copy.getContext("2d").drawImage(this.picture, 0, 0);
    this.before.push(copy);
    if (this.before.length > UNDO_MOST) this.before.shift();
  }

  // ---- what the buttons do

  black() {
    const { box, pen } = this;
    if (!box) return;
    this.#remember();
    pen.fillStyle = "#000";
    pen.fillRect(box.x, box.y, box.w, box.h);
    this.box = null;
  }

  crop() {
    const { box, pen, picture } = this;
    if (!box || box.w < STEP || box.h < STEP) return;
    this.#remember();
    const cut = pen.getImageData(box.x, box.y, box.w, box.h);
    picture.width = box.w;
    picture.height = box.h;
    pen.putImageData(cut, 0, 0);
    this.box = null;
  }

  undo() {
    const last = this.before.pop();
    if (!last) return;
    this.picture.width = last.width;
    this.picture.height = last.height;
    this.pen.drawImage(last, 0, 0);
    this.box = null;
  }

  // ---- the rectangle, by hand or by keyboard

  #at(event) {
    const { canvas, picture } = this;
    const shown = canvas.getBoundingClientRect();
    return {
      x: Math.round(((event.clientX - shown.left) / shown.width) * picture.width),
      y: Math.round(((event.clientY - shown.top) / shown.height) * picture.height),
    };
  }

  #within(x, y, w, h) {
    const { picture } = this;
    const left = Math.max(0, Math.min(x, picture.width - 1));
    const top = Math.max(0, Math.min(y, picture.height - 1));
    const right = Math.max(left + 1, Math.min(x + w, picture.width));
    const bottom = Math.max(top + 1, Math.min(y + h, picture.height));
    return { x: left, y: top, w: right - left, h: bottom - top };
  }

  #listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      canvas.focus({ preventScroll: true });
      this.from = this.#at(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      const { from } = this;
      if (!from) return;
      const to = this.#at(event);
      const [w, h] = [Math.abs(to.x - from.x), Math.abs(to.y - from.y)];
      this.box = this.#within(Math.min(from.x, to.x), Math.min(from.y, to.y), w, h);
      this.#draw();
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (this.from = null));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    for (const button of this.root.querySelectorAll("[data-do]")) {
      button.addEventListener("click", () => {
        this[button.dataset.do]();
        this.#draw();
        this.#tell();
      });
    }
  }

  #key(event) {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!move) return;
    event.preventDefault();
    const { width, height } = this.picture;
    const step = Math.max(STEP, Math.round(width / 100));
    const { round } = Math;
    const box = this.box ?? this.#within(round(width / 4), round(height / 4), round(width / 4), round(height / 8));
    const [x, y] = [move[0] * step, move[1] * step];
    if (event.shiftKey) {
      this.box = this.#within(box.x, box.y, Math.max(step, box.w + x), Math.max(step, box.h + y));
    } else {
      const left = Math.max(0, Math.min(box.x + x, width - box.w));
      const top = Math.max(0, Math.min(box.y + y, height - box.h));
      this.box = { ...box, x: left, y: top };
    }
    this.#draw();
  }
}
