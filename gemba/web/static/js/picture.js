// Crop a picture and black out parts of it before it leaves this device. Without this file the field is a
// plain one. What is sent is the canvas (picture/editor.js).

import { Editor, imageIn } from "./picture/editor.js";

const form = document.querySelector("form[data-picture]");

function start() {
  const field = form.elements.picture;
  const editor = new Editor(form.querySelector("[data-editor]"));
  let changed = false;

  async function take(file) {
    if (file && (await editor.take(file))) changed = true;
  }

  form.querySelector("[data-paste]").hidden = false;
  field.addEventListener("change", () => take(field.files[0]));
  take(field.files[0]); // chosen before this script had run
  document.addEventListener("paste", (event) => {
    const file = imageIn(event.clipboardData);
    if (!file) return;
    event.preventDefault();
    take(file);
  });
  form.addEventListener("submit", async (event) => {
    if (!changed) return;
    event.preventDefault();
    const held = new DataTransfer();
    held.items.add(await editor.file());
    field.files = held.files;
    changed = false;
    form.requestSubmit();
  });
}

if (form) start();
