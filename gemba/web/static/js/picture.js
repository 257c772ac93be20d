// Crop a picture and black out parts of it before it leaves this device. Without this file the field is a
// plain one. What is sent is the canvas: pixels that were cut away or blacked out are not in it.

const form = document.querySelector("form[data-picture]");
const FORMATS = ["image/png", "image/jpeg", "image/webp"];
const SIDE = 2560;
const STEP = 8;
const UNDO_MOST = 8;

function start() {
  const field = form.elements.picture;
  const editor = form.querySelector("[data-editor]");
  const canvas = form.querySelector("[data-canvas]");
  const said = form.querySelector("[data-said]");
  const undo = form.querySelector('[data-do="undo"]');
  const context = canvas.getContext("2d");
  // The picture without the rectangle that is being drawn over it.
  const picture = document.createElement("canvas");
  const pen = picture.getContext("2d");
  const before = [];
  let media = "image/png";
  let box = null;
  let from = null;
  let changed = false;

  form.querySelector("[data-paste]").hidden = false;

  function draw() {
    canvas.width = picture.width;
    canvas.height = picture.height;
    context.drawImage(picture, 0, 0);
    if (box) {
      const style = getComputedStyle(canvas);
      context.lineWidth = Math.max(2, picture.width / 400);
      context.strokeStyle = style.getPropertyValue("--accent") || "#b4470f";
      context.setLineDash([context.lineWidth * 4, context.lineWidth * 2]);
      context.strokeRect(box.x, box.y, box.w, box.h);
    }
    undo.disabled = !before.length;
  }

  function tell() {
    const size = form.dataset.wordsSize.replace("{w}", picture.width).replace("{h}", picture.height);
    said.textContent = `${form.dataset.wordsReady} ${size}`;
  }

  async function take(file) {
    if (!file) return;
    if (!FORMATS.includes(file.type)) {
      editor.hidden = false;
      said.textContent = form.dataset.wordsNo;
      return;
    }
    let image;
    try {
      image = await createImageBitmap(file);
    } catch {
      editor.hidden = false;
      said.textContent = form.dataset.wordsNo;
      return;
    }
    media = file.type;
    const scale = Math.min(1, SIDE / Math.max(image.width, image.height));
    picture.width = Math.round(image.width * scale);
    picture.height = Math.round(image.height * scale);
    pen.drawImage(image, 0, 0, picture.width, picture.height);
    before.length = 0;
    changed = true;
    box = null;
    editor.hidden = false;
    draw();
    tell();
  }

  function remember() {
    const copy = document.createElement("canvas");
    copy.width = picture.width;
    copy.height = picture.height;
    copy.getContext("2d").drawImage(picture, 0, 0);
    before.push(copy);
    if (before.length > UNDO_MOST) before.shift();
  }

  const acts = {
    black() {
      if (!box) return;
      remember();
      pen.fillStyle = "#000";
      pen.fillRect(box.x, box.y, box.w, box.h);
      box = null;
    },
    crop() {
      if (!box || box.w < STEP || box.h < STEP) return;
      remember();
      const { x, y, w, h } = box;
      const cut = pen.getImageData(x, y, w, h);
      picture.width = w;
      picture.height = h;
      pen.putImageData(cut, 0, 0);
      box = null;
    },
    undo() {
      const last = before.pop();
      if (!last) return;
      picture.width = last.width;
      picture.height = last.height;
      pen.drawImage(last, 0, 0);
      box = null;
    },
  };

  function at(event) {
    const shown = canvas.getBoundingClientRect();
    return {
      x: Math.round(((event.clientX - shown.left) / shown.width) * picture.width),
      y: Math.round(((event.clientY - shown.top) / shown.height) * picture.height),
    };
  }

  function within(x, y, w, h) {
    const left = Math.max(0, Math.min(x, picture.width - 1));
    const top = Math.max(0, Math.min(y, picture.height - 1));
    const right = Math.max(left + 1, Math.min(x + w, picture.width));
    const bottom = Math.max(top + 1, Math.min(y + h, picture.height));
    return { x: left, y: top, w: right - left, h: bottom - top };
  }

  canvas.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    canvas.focus({ preventScroll: true });
    from = at(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) return;
    const to = at(event);
    box = within(Math.min(from.x, to.x), Math.min(from.y, to.y), Math.abs(to.x - from.x), Math.abs(to.y - from.y));
    draw();
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (from = null));

  canvas.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!move) return;
    event.preventDefault();
    const step = Math.max(STEP, Math.round(picture.width / 100));
    box ??= within(picture.width / 4, picture.height / 4, picture.width / 4, picture.height / 8);
    const [x, y] = [move[0] * step, move[1] * step];
    const { round } = Math;
    box = event.shiftKey
      ? within(round(box.x), round(box.y), Math.max(step, round(box.w + x)), Math.max(step, round(box.h + y)))
      : within(round(box.x + x), round(box.y + y), round(box.w), round(box.h));
    draw();
  });

  for (const button of form.querySelectorAll("[data-do]")) {
    button.addEventListener("click", () => {
      acts[button.dataset.do]();
      draw();
      tell();
    });
  }

  field.addEventListener("change", () => take(field.files[0]));
  document.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    take(file);
  });

  form.addEventListener("submit", (event) => {
    if (!changed) return;
    event.preventDefault();
    picture.toBlob(
      (blob) => {
        const ending = { "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp" }[blob.type] ?? "png";
        const held = new DataTransfer();
        held.items.add(new File([blob], `picture.${ending}`, { type: blob.type }));
        field.files = held.files;
        changed = false;
        form.requestSubmit();
      },
      media,
      0.9,
    );
  });
}

if (form) start();
